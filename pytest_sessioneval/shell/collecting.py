"""Folders and files of sessions as pytest collectors.

A folder's node yields the items of its single-session files itself; a file node
exists only for a file of several sessions. Ordinary tests beside them are
collected as always, by whoever collects them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_sessioneval.evaluation.gating import Reference
from pytest_sessioneval.evaluation.scanning import Scan
from pytest_sessioneval.evaluation.walking import as_text
from pytest_sessioneval.garbage import paused
from pytest_sessioneval.shell.items import ProblemItem, SessionItem

if TYPE_CHECKING:
    from pytest_sessioneval.evaluation.membership import Member
    from pytest_sessioneval.shell.run import RunPlugin
    from pytest_sessioneval.verdicts.run import FileProblem

__all__ = ["SuiteDirectory", "SuitePackage", "SuiteSessionFile", "SuiteTree"]


@dataclass
class SuiteTree:
    """A scan's sessions and problems by the file, and the folder, they lie in."""

    scan: Scan
    reference: Reference
    files: dict[Path, tuple[list[Member], list[FileProblem]]] = field(default_factory=dict)
    folders: set[Path] = field(default_factory=set)
    """Every folder with a session or a problem in it or below it."""

    @classmethod
    def of(cls, scan: Scan, reference: Reference) -> SuiteTree:
        """Return the scan's tree."""
        tree = cls(scan, reference)
        for member in scan.members:
            tree._file(member.path)[0].append(member)
        for path, problem in scan.problems:
            tree._file(path)[1].append(problem)
        for folder in {path.parent for path in tree.files}:
            tree.folders.update((folder, *folder.parents))
        return tree

    def _file(self, path: Path) -> tuple[list[Member], list[FileProblem]]:
        return self.files.setdefault(path, ([], []))


class SuiteDirectory(pytest.Directory):
    """A folder of a suite."""

    def __init__(self, *, run: RunPlugin, root: Path, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.run = run
        self.root = root

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """Return sessions, and whatever pytest collects beside them, by name.

        The suite is scanned here and not before: pytest has now loaded the
        folder's conftest, which may say what to ignore.
        """
        tree = self.run.tree(self.root)
        count = 0 if tree is None else len(tree.files)
        with paused(count, keep=True):
            return list(self._nodes(tree))

    def _nodes(self, tree: SuiteTree | None) -> Iterator[pytest.Item | pytest.Collector]:
        # A conftest deeper in the suite was not loaded when the suite was scanned.
        ask_again = self.path != self.root and (self.path / "conftest.py").is_file()
        for entry in sorted(os.scandir(self.path), key=lambda entry: entry.name):
            path = self.path / entry.name
            if tree is not None and path in tree.files:
                if not (ask_again and self._is_ignored(path, with_parents=False)):
                    yield from session_nodes(self, path, self.run, tree)
            elif path.is_dir():  # unlike the entry's own method, false for links that lead nowhere
                yield from self._folder(path)
            elif path.is_file():
                yield from self._file(path)

    def _folder(self, path: Path) -> Iterator[pytest.Collector]:
        if self._is_ignored(path, with_parents=True):
            return
        collector = self.ihook.pytest_collect_directory(path=path, parent=self)
        if collector is not None:
            yield collector

    def _file(self, path: Path) -> Iterator[pytest.Collector]:
        if not self._is_ignored(path, with_parents=False):
            yield from self.ihook.pytest_collect_file(file_path=path, parent=self)

    def _is_ignored(self, path: Path, *, with_parents: bool) -> bool:
        if self.session.isinitpath(path, with_parents=with_parents):
            return False
        return bool(self.ihook.pytest_ignore_collect(collection_path=path, config=self.config))


class SuitePackage(SuiteDirectory, pytest.Package):
    """A folder of a suite that is a Python package: its tests' package fixtures end with it."""


class SuiteSessionFile(pytest.File):
    """A file of several sessions."""

    def __init__(self, *, run: RunPlugin, tree: SuiteTree, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.run = run
        self.tree = tree

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """Yield the file's sessions, in file order, then those that cannot be read."""
        listed, problems = self.tree.files[self.path]
        for member in listed:
            yield SessionItem.from_parent(
                self,
                name=member.session.summary.locator or self.path.name,
                run=self.run,
                suite=self.tree.scan.suite.name,
                member=member,
            )
        for problem in problems:
            name = problem.path.partition("::")[2] or self.path.name
            yield ProblemItem.from_parent(self, name=name, problem=problem)


def session_nodes(
    parent: pytest.Collector, path: Path, run: RunPlugin, tree: SuiteTree
) -> Iterator[pytest.Item | pytest.Collector]:
    """Yield the node of one file: an item where it holds one session, else a file node."""
    listed, problems = tree.files[path]
    alone = len(listed) + len(problems) == 1
    if alone and listed and listed[0].session.summary.locator is None:
        yield SessionItem.from_parent(
            parent,
            name=path.name,
            path=path,
            nodeid=_node_id(parent, path),
            run=run,
            suite=tree.scan.suite.name,
            member=listed[0],
        )
    elif alone and problems and "::" not in problems[0].path:
        yield ProblemItem.from_parent(
            parent,
            name=as_text(path.name),
            path=path,
            nodeid=_node_id(parent, path),
            problem=problems[0],
        )
    else:
        yield SuiteSessionFile.from_parent(parent, path=path, run=run, tree=tree)


def _node_id(parent: pytest.Collector, path: Path) -> str:
    """Return ``folder/file.json``, as pytest would name a file node there."""
    folder = parent.nodeid
    return as_text(path.name if folder in ("", ".") else f"{folder}/{path.name}")
