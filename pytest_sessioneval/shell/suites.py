"""The suites in play: found by their file or named on the command line, read once, scanned once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from pytest_sessioneval.errors import StoreError, SuiteError, UsageError
from pytest_sessioneval.evaluation.gating import Reference, reference_of
from pytest_sessioneval.evaluation.reading import Readings
from pytest_sessioneval.evaluation.scanning import nothing_found, scan
from pytest_sessioneval.evaluation.walking import Ignored
from pytest_sessioneval.shell.collecting import SuiteTree
from pytest_sessioneval.shell.hook_values import given_secrets
from pytest_sessioneval.shell.protocol import foreign
from pytest_sessioneval.shell.settings import RunSettings
from pytest_sessioneval.stores.protocol import Store
from pytest_sessioneval.suites.discovery import find_suite_file
from pytest_sessioneval.suites.loading import default_suite, load_suite
from pytest_sessioneval.suites.model import Rubric, Suite
from pytest_sessioneval.suites.rubric import load_rubric
from pytest_sessioneval.transcripts.redaction_policy import (
    OwnSecret,
    RedactionPolicy,
)
from pytest_sessioneval.transcripts.registry import Registry

__all__ = ["SuiteBook"]


@dataclass(slots=True)
class _Named:
    """A folder that became a suite because the command line named it, or files in it."""

    whole: bool = False
    files: set[Path] = field(default_factory=set)


class SuiteBook:
    """Finds, reads and scans suites; what is wrong with one is kept in ``errors``.

    Errors are kept and not raised: inside collection they would become a
    traceback and exit 2. The run raises them when collection is over.
    """

    def __init__(
        self,
        config: pytest.Config,
        settings: RunSettings,
        registry: Callable[[], Registry],
        readings: Readings | None,
    ) -> None:
        self._config = config
        self._settings = settings
        self._registry = registry
        self._readings = readings
        self._trees: dict[Path, SuiteTree | None] = {}
        self._arguments = _arguments(config)
        self._named = self._named_folders() if config.option.sessioneval else {}
        self.errors: list[UsageError | StoreError] = []

    @property
    def trees(self) -> tuple[SuiteTree, ...]:
        """The suites scanned so far, in order of collection."""
        return tuple(tree for tree in self._trees.values() if tree is not None)

    def is_root(self, path: Path) -> bool:
        """Whether the folder is a suite of its own."""
        return path in self._named or find_suite_file(path) is not None

    def named_root_of(self, file: Path) -> Path | None:
        """Return the suite of a file that the command line named and no folder node leads to."""
        named = self._named.get(file.parent)
        return file.parent if named is not None and file in named.files else None

    def tree(
        self, root: Path, session: pytest.Session, store: Callable[[], Store]
    ) -> SuiteTree | None:
        """Return what the suite holds; None when something is wrong with it, see ``errors``."""
        if root not in self._trees:
            self._trees[root] = None
            try:
                self._trees[root] = self._scanned(root, session, store())
            except (UsageError, StoreError) as error:
                self.errors.append(error)
        return self._trees[root]

    def suite(self, root: Path) -> Suite:
        """Return the folder's suite, read, with what command line and environment override.

        Raises ``SuiteError`` or ``SettingError``.
        """
        read: Callable[..., Suite] = default_suite if find_suite_file(root) is None else load_suite
        suite = read(
            root,
            judge=self._settings.judge,
            repeats=self._settings.repeats,
            rubric=self._rubric(),
        )
        suite = self._redacting(suite)
        taken = {tree.scan.suite.name for tree in self.trees}
        if suite.name in taken:
            relative = os.path.relpath(root, self._config.rootpath)
            suite = suite.model_copy(update={"name": relative.replace(os.sep, "/")})
        return suite

    def _redacting(self, suite: Suite) -> Suite:
        """Return the suite with what command line, ini and hooks say of redaction."""
        what = self._settings.redact or suite.redaction.what
        own = dict.fromkeys((*self._secrets, *suite.redaction.own))
        policy = RedactionPolicy(what=what, own=tuple(own))
        return suite.model_copy(update={"redaction": policy})

    @cached_property
    def _secrets(self) -> tuple[OwnSecret, ...]:
        """The kinds of secrets that hooks name; raises ``SettingError``."""
        return given_secrets(self._config)

    def _reference(self, suite: Suite) -> Reference:
        """Return by whose rules the suite is judged, and what it is held against."""
        options = self._settings.gate
        if options.update:
            return Reference(suite=suite)
        return reference_of(
            suite,
            options.compare,
            given=options.baseline,
            needed=bool(options.drop),
            judge=self._settings.judge,
            repeats=self._settings.repeats,
            rubric=self._rubric(),
        )

    def _rubric(self) -> Rubric | None:
        if self._settings.rubric is None:
            return None
        where = self._config.invocation_params.dir
        return load_rubric(self._settings.rubric, base=where, confined=False)

    def _scanned(self, root: Path, session: pytest.Session, store: Store) -> SuiteTree | None:
        reference = self._reference(self.suite(root))
        reference = replace(reference, suite=self._redacting(reference.suite))
        suite = reference.suite
        named = self._named.get(root)
        files = {path for path in self._arguments if path.is_relative_to(root) and path != root}
        only_named = named is not None and not named.whole and suite.file is None
        found = scan(
            suite,
            registry=self._registry(),
            store=store,
            ignored=_ignored_by(session, self.is_root),
            named={path for path in files if not path.is_dir()} | (named.files if named else set()),
            only_named=only_named,
            readings=self._readings,
        )
        if not found.members and not found.problems:
            if suite.file is None and self._leads_to_suites(root):
                return None
            looked = named.files if named and only_named else ()
            raise SuiteError(nothing_found(suite, len(found.sources.not_sessions), looked))
        return SuiteTree.of(found, reference)

    def _leads_to_suites(self, root: Path) -> bool:
        return any(
            "sessioneval.toml" in files
            for folder, _, files in os.walk(root)
            if Path(folder) != root
        )

    def _named_folders(self) -> Mapping[Path, _Named]:
        """Return the folders ``--sessioneval`` makes suites, none inside a suite with a file."""
        named: dict[Path, _Named] = {}
        for path in self._arguments:
            folder = path if path.is_dir() else path.parent
            if self._has_file_above(folder):
                continue
            entry = named.setdefault(folder, _Named())
            if path.is_dir():
                entry.whole = True
            else:
                entry.files.add(path)
        inner = [a for a in named for b in named if a != b and named[b].whole and b in a.parents]
        return {folder: entry for folder, entry in named.items() if folder not in inner}

    def _has_file_above(self, folder: Path) -> bool:
        root = self._config.rootpath
        above = [parent for parent in folder.parents if parent.is_relative_to(root)]
        return any(find_suite_file(parent) is not None for parent in (folder, *above))


def _arguments(config: pytest.Config) -> tuple[Path, ...]:
    """Return the paths pytest was given, absolute, without their ``::`` parts."""
    where = config.invocation_params.dir
    return tuple(
        Path(os.path.abspath(where / argument.partition("::")[0]))  # noqa: PTH100  keeps links
        for argument in config.args
    )


def _ignored_by(session: pytest.Session, is_root: Callable[[Path], bool]) -> Ignored:
    """Return whether pytest ignores a path, or another suite owns the folder."""
    hooks: dict[Path, Any] = {}
    files_too = _somebody_ignores_files(session.config)

    def ignored(path: Path, is_folder: bool) -> bool:  # noqa: FBT001  the shape of Ignored
        if is_folder and is_root(path):
            return True
        if not (is_folder or files_too) or session.isinitpath(path, with_parents=True):
            return False
        hook = hooks.get(path.parent)
        if hook is None:
            hook = hooks[path.parent] = session.gethookproxy(path.parent)
        return bool(hook.pytest_ignore_collect(collection_path=path, config=session.config))

    return ignored


def _somebody_ignores_files(config: pytest.Config) -> bool:
    """Whether an option, a conftest or a plugin may ignore single files.

    pytest itself looks at folders only, and asking it about 10,000 files takes
    as long as reading them.
    """
    if config.getoption("ignore") or config.getoption("ignore_glob"):
        return True
    plugins = config.pluginmanager.get_plugins()
    if any(hasattr(plugin, "collect_ignore") for plugin in plugins):
        return True
    if any(hasattr(plugin, "collect_ignore_glob") for plugin in plugins):
        return True
    return foreign(config.pluginmanager.hook.pytest_ignore_collect)
