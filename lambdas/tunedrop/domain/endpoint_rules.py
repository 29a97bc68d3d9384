"""How each provider serves a tuned model, what that costs while nobody calls it, and what can be asked for."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from tunedrop.domain.bedrock_models import BEDROCK_MODELS
from tunedrop.domain.endpoint import Call, EndpointKind
from tunedrop.domain.errors import RequestInvalidError
from tunedrop.domain.job_request import EndpointRequest, JobRequest
from tunedrop.domain.model_rules import Reference

MAX_TTL_HOURS = 720.0
MAX_MODEL_UNITS = 1_000
"""More than any account gets: AWS grants a few on request."""
SHORTEST_TTL_HOURS = 1e-6
"""A few milliseconds: nothing that anybody needs, but a number that the record can hold."""


class KindRules(msgspec.Struct, frozen=True, kw_only=True):
    """One way to serve a model."""

    kind: EndpointKind
    bills_idle: bool
    """Whether it costs money while nobody calls it: then it needs a `ttl_hours`, and is never started unasked."""
    hourly_cost_usd: float | None
    """While it is up and idle; None where no price was found that could be cited."""
    cost_note: str
    source: Reference


class EndpointPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for, with the defaults, checked."""

    kind: EndpointKind
    model_units: int | None = None
    ttl_hours: float | None = None


_HOSTED = KindRules(
    kind="hosted",
    bills_idle=False,
    hourly_cost_usd=0.0,
    cost_note="Nothing an hour: OpenAI serves every tuned model itself and charges for the tokens of each call.",
    source=Reference("developers.openai.com/api/docs/guides/supervised-fine-tuning"),
)
_ON_DEMAND = KindRules(
    kind="on_demand",
    bills_idle=False,
    hourly_cost_usd=0.0,
    cost_note="Nothing an hour: Amazon Bedrock charges for the tokens of each call, and for storing the custom model.",
    source=Reference("docs.aws.amazon.com/bedrock/latest/userguide/deploy-custom-model-on-demand.html"),
)
_PROVISIONED = KindRules(
    kind="provisioned",
    bills_idle=True,
    hourly_cost_usd=None,
    cost_note="Billed by the hour and model unit until it is deleted, whether it is called or not, without a "
    "commitment: the base model's price at aws.amazon.com/bedrock/pricing.",
    source=Reference(
        "docs.aws.amazon.com/bedrock/latest/userguide/prov-throughput.html",
        note="the figures of the page of prices are filled in by a script: none could be read",
    ),
)
_SERVING = KindRules(
    kind="serving",
    bills_idle=False,
    hourly_cost_usd=0.0,
    cost_note="Nothing an hour while it is scaled to zero; while it answers, Databricks bills its throughput in DBUs. "
    "The first call after a pause waits until it has scaled up.",
    source=Reference("docs.databricks.com/aws/en/machine-learning/model-serving/manage-serving-endpoints"),
)

KINDS: Mapping[str, tuple[KindRules, ...]] = {
    "openai": (_HOSTED,),
    "bedrock": (_ON_DEMAND, _PROVISIONED),
    "databricks": (_SERVING,),
}
"""By provider, the usual one first."""

ON_DEMAND_BASES: Mapping[str, Reference] = {
    rules.model_id: Reference("docs.aws.amazon.com/bedrock/latest/userguide/deploy-custom-model-on-demand.html")
    for rules in BEDROCK_MODELS
}
"""The base models whose custom models Bedrock deploys on demand, and where that is said."""


def rules_of(provider: str, kind: EndpointKind) -> KindRules:
    """The rules of a kind that the provider has."""
    return next(rules for rules in KINDS[provider] if rules.kind == kind)


def endpoint_plan(
    provider: str,
    base_model: str | None,
    request: EndpointRequest,
    *,
    within: str = "",
    live: EndpointKind | None = None,
) -> EndpointPlan:
    """What `request` asks for. Raises RequestInvalidError, which names the field, `within` before it, and the way out.

    `live` is the kind of an endpoint that is up already: what is not said of it stays as it is.
    """
    kinds = [rules.kind for rules in KINDS[provider]]
    kind: EndpointKind = request.kind or live or kinds[0]
    if kind not in kinds:
        known = "leave it out" if kinds == ["hosted"] else f"ask for {' or '.join(map(repr, kinds))}"
        raise RequestInvalidError(f"'{within}kind' cannot be {kind!r} at {provider}: {known}.")
    _check_ttl(kind, request.ttl_hours, f"{within}ttl_hours")
    _check_units(kind, request.model_units, f"{within}model_units", live=live is not None)
    if kind == "on_demand" and base_model not in ON_DEMAND_BASES:
        raise RequestInvalidError(
            f"'{within}kind' cannot be 'on_demand' for a model tuned from {base_model}: Bedrock deploys "
            f"{', '.join(ON_DEMAND_BASES)} so. Ask for 'provisioned', with 'model_units' and 'ttl_hours'."
        )
    if request.ttl_hours is None and live is None and rules_of(provider, kind).bills_idle:
        raise RequestInvalidError(
            f"'{within}ttl_hours' is missing: a {kind} endpoint is billed by the hour, called or not. Say for how many "
            f"hours it is needed, at most {MAX_TTL_HOURS:g}; it can be moved later."
        )
    return EndpointPlan(kind=kind, model_units=request.model_units, ttl_hours=request.ttl_hours)


def plan_after_success(request: JobRequest, base_model: str | None) -> EndpointPlan | None:
    """What is started as soon as the job has succeeded; None where nothing is.

    Without a word from the user: the provider's usual kind, where an idle one costs nothing.
    Raises RequestInvalidError.
    """
    asked = _asked(request)
    if asked is False:
        if request.endpoint is not None:
            word = "'start_endpoint' is false" if request.start_endpoint is False else "'skip_deploy' is true"
            raise RequestInvalidError(f"'endpoint' says how to serve the model, but {word}: leave one of them out.")
        return None
    within = "" if request.endpoint is None else "endpoint."
    return endpoint_plan(request.provider, base_model, request.endpoint or EndpointRequest(), within=within)


def starts_by_itself(request: JobRequest | None, base_model: str | None) -> bool:
    """Whether an endpoint is started as soon as the job has succeeded."""
    if request is None or request.provider not in KINDS:
        return False
    try:
        return plan_after_success(request, base_model) is not None
    except RequestInvalidError:  # a rule may be younger than the job: then its end is noted without an endpoint
        return False


def hosted_call(tuned_model: str) -> Call:
    """How a model is called that OpenAI serves itself: at OpenAI, or at the `base_url` of the job's credentials."""
    return Call(model_id=tuned_model, litellm_model=f"openai/{tuned_model}")


def _asked(request: JobRequest) -> bool | None:
    """Whether an endpoint is asked for, refused, or not spoken of."""
    if request.start_endpoint is not None and request.start_endpoint == request.skip_deploy:
        raise RequestInvalidError(
            "'start_endpoint' and 'skip_deploy' contradict each other: each means the opposite. Leave one out."
        )
    if request.start_endpoint is not None:
        return request.start_endpoint
    return None if request.skip_deploy is None else not request.skip_deploy


def _check_ttl(kind: EndpointKind, hours: float | None, field: str) -> None:
    if hours is None:
        return
    if kind == "hosted":
        raise RequestInvalidError(f"'{field}' cannot be given: OpenAI serves every tuned model itself, without an end.")
    if not SHORTEST_TTL_HOURS <= hours <= MAX_TTL_HOURS:
        raise RequestInvalidError(
            f"'{field}' must be greater than 0 and at most {MAX_TTL_HOURS:g} (30 days), not {hours:g}. It can be moved "
            "again before it is over."
        )


def _check_units(kind: EndpointKind, units: int | None, field: str, *, live: bool) -> None:
    if kind != "provisioned":
        if units is not None:
            way = "" if kind in ("hosted", "serving") else ", or ask for the kind 'provisioned'"
            raise RequestInvalidError(f"'{field}' cannot be given for the kind {kind!r}: leave it out{way}.")
        return
    if units is None and not live:
        raise RequestInvalidError(f"'{field}' is missing: a provisioned endpoint needs at least 1, billed by the hour.")
    if units is not None and not 1 <= units <= MAX_MODEL_UNITS:
        raise RequestInvalidError(f"'{field}' must be at least 1 and at most {MAX_MODEL_UNITS:,}, not {units}.")
