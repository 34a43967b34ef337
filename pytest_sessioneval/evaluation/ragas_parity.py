"""The metrics of the ragas library itself, beside ours: the ``ragas`` extra, for parity only.

ragas reports its use to its makers unless it is told not to; it is told before
it is imported. Its scores do not go through our protocol: no quotes are looked
up, nothing is kept, and text that addresses the judge is not tried without.
"""

from __future__ import annotations

import asyncio
import importlib
import math
import os
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

from pytest_sessioneval.errors import JudgeError, SettingError
from pytest_sessioneval.judging.backends.endpoints import (
    Endpoint,
    embedding_endpoint,
    endpoint,
)
from pytest_sessioneval.suites.metrics import METRICS, MetricName, metric, missing_inputs
from pytest_sessioneval.transcripts.model import ToolCall
from pytest_sessioneval.transcripts.samples import Sample

__all__ = ["SHARED_METRICS", "RagasScorer"]

SHARED_METRICS: tuple[MetricName, ...] = tuple(
    name for name in METRICS if not name.startswith("id_based")
)
"""The metrics that ragas computes under ``ragas.metrics.collections``, too."""

_INSTALL = "pip install 'pytest-sessioneval[ragas]'"
_LONGEST_REASON = 300
_DO_NOT_TRACK = "RAGAS_DO_NOT_TRACK"


class RagasScorer:
    """Scores samples with the real library; ``judge_model`` is a model behind OpenAI's protocol.

    Addresses and keys come from ``environ`` as for our own judges. Raises
    ``SettingError`` where the library is not installed or cannot be imported.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        judge_model: str,
        embedding_model: str | None,
        timeout_s: float = 120.0,
    ) -> None:
        kind, _, model = judge_model.partition(":")
        if kind != "openai" or not model:
            raise SettingError(
                f"ragas is asked with judges behind OpenAI's protocol: openai:MODEL, found "
                f"{judge_model!r}"
            )
        self._library = _imported()
        self._model = model
        self._embedding_model = embedding_model
        self._judge = endpoint("openai", environ)
        self._embeddings = embedding_endpoint(environ) if embedding_model else None
        self._timeout_s = timeout_s

    @property
    def version(self) -> str:
        """The library's version."""
        return str(importlib.import_module("ragas").__version__)

    def score(
        self, samples: Sequence[Sample], metrics: Sequence[MetricName] = SHARED_METRICS
    ) -> list[dict[str, float | None]]:
        """Return each sample's metrics, 0–1; None where the library has none or an input lacks.

        Raises ``JudgeError`` where the library fails.
        """
        return asyncio.run(self._score(samples, metrics))

    async def _score(
        self, samples: Sequence[Sample], metrics: Sequence[MetricName]
    ) -> list[dict[str, float | None]]:
        asked = _Asked.of(self._library, self)
        try:
            return [
                {name: await asked.score(name, sample) for name in metrics} for sample in samples
            ]
        finally:
            await asked.close()

    def client(self, kind: str, *, embeddings: bool = False) -> Any:
        """Return a client of the openai package: ``AsyncOpenAI`` or ``OpenAI``."""
        found: Endpoint = (self._embeddings if embeddings else None) or self._judge
        made = getattr(importlib.import_module("openai"), kind)
        return made(base_url=found.base_url, api_key=found.key or "none", timeout=self._timeout_s)

    @property
    def model(self) -> str:
        """The judge's model."""
        return self._model

    @property
    def embedding_model(self) -> str | None:
        """The embedding model; null: metrics that need one have no score."""
        return self._embedding_model


class _Asked:
    """The library's metrics, bound to the clients of one event loop."""

    def __init__(self, library: Any, llm: Any, embeddings: Any, similarity: Any) -> None:
        self._library = library
        self._llm = llm
        self._embeddings = embeddings
        self._similarity = similarity
        self._clients: list[Any] = []

    @classmethod
    def of(cls, library: Any, scorer: RagasScorer) -> _Asked:
        """Return the metrics; similarity is computed by blocking calls in the library itself."""
        llms = importlib.import_module("ragas.llms")
        provider = importlib.import_module("ragas.embeddings")
        judge = scorer.client("AsyncOpenAI")
        embeddings = similarity = None
        clients = [judge]
        if scorer.embedding_model:
            waiting = scorer.client("AsyncOpenAI", embeddings=True)
            blocking = scorer.client("OpenAI", embeddings=True)
            named = {"model": scorer.embedding_model}
            embeddings = provider.OpenAIEmbeddings(client=waiting, **named)
            similarity = provider.OpenAIEmbeddings(client=blocking, **named)
            clients += [waiting, blocking]
        asked = cls(library, llms.llm_factory(scorer.model, client=judge), embeddings, similarity)
        asked._clients = clients
        return asked

    async def close(self) -> None:
        """Release the clients."""
        for client in self._clients:
            closing = client.close()
            if closing is not None:
                await closing

    async def score(self, name: MetricName, sample: Sample) -> float | None:
        """Return one metric of a sample; None where there is none."""
        if missing_inputs(name, sample) or (metric(name).embeds and self._embeddings is None):
            return None
        if not sample.answer.strip() and name not in {"context_precision", "context_recall"}:
            return None  # the library refuses an empty answer
        try:
            value = float((await self._computed(name, sample)).value)
        # The boundary around somebody else's library: whatever it raises is told as one error.
        except Exception as error:
            said = " ".join(str(error).split())[:_LONGEST_REASON]
            raise JudgeError(f"ragas failed on {name}: {type(error).__name__}: {said}") from error
        return None if math.isnan(value) else value

    def _computed(self, name: MetricName, sample: Sample) -> Awaitable[Any]:
        made = self._library
        asked = {"user_input": sample.question}
        answered = {**asked, "response": sample.answer}
        found = {"retrieved_contexts": list(sample.contexts)}
        truth = {"reference": sample.ground_truth or ""}
        computed: Awaitable[Any]
        match name:
            case "faithfulness":
                computed = made.Faithfulness(llm=self._llm).ascore(**answered, **found)
            case "answer_relevancy":
                relevancy = made.AnswerRelevancy(llm=self._llm, embeddings=self._embeddings)
                computed = relevancy.ascore(**answered)
            case "context_precision" if sample.ground_truth:
                precision = made.ContextPrecisionWithReference(llm=self._llm)
                computed = precision.ascore(**asked, **truth, **found)
            case "context_precision":
                precision = made.ContextPrecisionWithoutReference(llm=self._llm)
                computed = precision.ascore(**answered, **found)
            case "context_recall":
                computed = made.ContextRecall(llm=self._llm).ascore(**asked, **found, **truth)
            case "answer_correctness":
                correct = made.AnswerCorrectness(llm=self._llm, embeddings=self._embeddings)
                computed = correct.ascore(**answered, **truth)
            case "semantic_similarity":
                similar = made.SemanticSimilarity(embeddings=self._similarity)
                computed = similar.ascore(response=sample.answer, **truth)
            case "factual_correctness":
                factual = made.FactualCorrectness(llm=self._llm)
                computed = factual.ascore(response=sample.answer, **truth)
            case _:
                computed = _tool_calls(made, sample)
        return computed


def _tool_calls(library: Any, sample: Sample) -> Awaitable[Any]:
    messages = importlib.import_module("ragas.messages")

    def converted(calls: Sequence[ToolCall]) -> list[Any]:
        return [
            messages.ToolCall(
                name=call.name,
                args=call.arguments if isinstance(call.arguments, dict) else {"": call.arguments},
            )
            for call in calls
        ]

    said = messages.AIMessage(content=sample.answer, tool_calls=converted(sample.calls))
    wanted = converted(sample.reference_calls or ())
    computed: Awaitable[Any] = library.ToolCallF1().ascore(
        user_input=[said], reference_tool_calls=wanted
    )
    return computed


def _imported() -> Any:
    """Return ``ragas.metrics.collections``, imported with its reporting switched off."""
    os.environ[_DO_NOT_TRACK] = "true"
    try:
        return importlib.import_module("ragas.metrics.collections")
    except ImportError as error:
        missing = error.name == "ragas"
        why = "is not installed" if missing else f"cannot be imported: {error}"
        raise SettingError(f"the ragas library {why}; install it with {_INSTALL}") from error
