"""Every function of the stack, whichever it is."""

from __future__ import annotations

from typing import Any

from tests.infra.templates import Synthesis
from tunedrop import env

FUNCTION = "AWS::Lambda::Function"
HANDLERS = {
    "intake.handler",
    "prepare.handler",
    "openai_tasks.handler",
    "bedrock_tasks.handler",
    "databricks_tasks.handler",
    "finish.handler",
    "notify.handler",
    "api.handler",
    "webhook.handler",
    "wake.handler",
    "recover.handler",
}


def functions(synthesis: Synthesis) -> dict[str, dict[str, Any]]:
    return {each["Properties"]["Handler"]: each["Properties"] for each in synthesis.resources(FUNCTION).values()}


def variables(synthesis: Synthesis, name: str) -> dict[str, Any]:
    found: dict[str, Any] = functions(synthesis)[f"{name}.handler"]["Environment"]["Variables"]
    return found


def test_the_stack_deploys_each_handler_once_and_no_function_of_anyone_else(aws: Synthesis) -> None:
    assert sorted(each["Properties"]["Handler"] for each in aws.resources(FUNCTION).values()) == sorted(HANDLERS)


def test_every_function_has_a_role_of_its_own(aws: Synthesis) -> None:
    roles = [each["Role"]["Fn::GetAtt"][0] for each in functions(aws).values()]
    assert len(set(roles)) == len(roles)
    assert set(roles) <= aws.resources("AWS::IAM::Role").keys()


def test_no_role_has_a_policy_that_aws_manages(aws: Synthesis) -> None:
    assert not [
        name for name, role in aws.resources("AWS::IAM::Role").items() if "ManagedPolicyArns" in role["Properties"]
    ]


def test_every_function_writes_json_to_a_log_group_of_its_own_that_forgets(aws: Synthesis) -> None:
    groups = aws.resources("AWS::Logs::LogGroup")
    used = []
    for function in functions(aws).values():
        assert function["LoggingConfig"]["LogFormat"] == "JSON"
        group = function["LoggingConfig"]["LogGroup"]["Ref"]
        assert groups[group]["Properties"]["LogGroupName"] == f"/aws/lambda/{function['FunctionName']}"
        used.append(group)
    assert len(set(used)) == len(used)


def test_every_log_group_has_a_retention(aws: Synthesis) -> None:
    assert all(
        each["Properties"].get("RetentionInDays", 0) > 0 for each in aws.resources("AWS::Logs::LogGroup").values()
    )


def test_every_function_has_limits_and_active_tracing(aws: Synthesis) -> None:
    for handler, function in functions(aws).items():
        assert 3 < function["Timeout"] <= 900, handler
        assert function["MemorySize"] >= 512, handler
        assert function["TracingConfig"] == {"Mode": "Active"}, handler


def test_functions_for_aws_run_on_python_3_13_and_arm(aws: Synthesis) -> None:
    for function in functions(aws).values():
        assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])


def test_every_function_has_the_base_layer_and_besides_only_its_own(aws: Synthesis) -> None:
    def layers(name: str) -> list[str]:
        return [each["Ref"] for each in functions(aws)[f"{name}.handler"]["Layers"]]

    base = layers("intake")
    assert len(base) == 1
    assert all(layers(name) == base for name in ("bedrock_tasks", "finish", "notify", "wake", "recover"))
    more = [layers(name) for name in ("openai_tasks", "databricks_tasks", "prepare")]
    assert all(len(each) == 2 and each[0] == base[0] for each in more)
    assert len({each[1] for each in more}) == len(more)
    assert layers("webhook") == layers("openai_tasks")
    (own,) = set(layers("api")) - set(layers("prepare"))
    assert set(layers("api")) == {own, *layers("prepare")}
    assert own not in {layer for each in more for layer in each}


def test_the_api_answers_before_the_gateway_gives_up(aws: Synthesis) -> None:
    (timeout,) = {
        each["Properties"]["Integration"]["TimeoutInMillis"]
        for each in aws.resources("AWS::ApiGateway::Method").values()
    }
    assert functions(aws)["api.handler"]["Timeout"] * 1000 <= timeout
    assert functions(aws)["webhook.handler"]["Timeout"] <= 10


def test_checking_files_has_a_whole_cpu_and_all_the_time_there_is(aws: Synthesis) -> None:
    prepare = functions(aws)["prepare.handler"]
    assert 1769 <= prepare["MemorySize"] <= 2048
    assert prepare["Timeout"] == 900


def test_the_environment_has_what_powertools_needs_and_the_stage(aws: Synthesis) -> None:
    for handler, function in functions(aws).items():
        given = function["Environment"]["Variables"]
        assert given[env.STAGE] == "dev"
        assert given["POWERTOOLS_SERVICE_NAME"] == handler.removesuffix(".handler")
        assert given["POWERTOOLS_METRICS_NAMESPACE"] == "Tunedrop"
        assert given["POWERTOOLS_LOG_LEVEL"] == "INFO"


def test_every_function_that_touches_jobs_knows_where_they_are(aws: Synthesis) -> None:
    for name in ("intake", "prepare", "openai_tasks", "bedrock_tasks", "databricks_tasks", "finish", "api"):
        given = variables(aws, name)
        assert {env.JOBS_TABLE, env.INBOX_BUCKET, env.ARTIFACTS_BUCKET} <= given.keys(), name
        assert given[env.INBOX_BUCKET] != given[env.ARTIFACTS_BUCKET]


def test_what_only_looks_at_records_knows_the_table_and_no_bucket(aws: Synthesis) -> None:
    for name in ("webhook", "wake", "recover"):
        assert env.JOBS_TABLE in variables(aws, name), name
        assert not {env.INBOX_BUCKET, env.ARTIFACTS_BUCKET} & variables(aws, name).keys(), name


def _machines(synthesis: Synthesis, function: str, variable: str, providers: tuple[str, ...]) -> set[str]:
    prefix = variables(synthesis, function)[variable]["Fn::Join"][1][-1]
    return {f"{prefix.removeprefix(':stateMachine:')}{provider}" for provider in providers}


def test_who_starts_executions_knows_the_machines_by_a_prefix_that_the_providers_complete(aws: Synthesis) -> None:
    every = {
        each["Properties"]["StateMachineName"] for each in aws.resources("AWS::StepFunctions::StateMachine").values()
    }
    trainings = {name for name in every if "-fine-tuning-" in name}
    assert len(every - trainings) == 2
    for name in ("intake", "api", "recover"):
        given = _machines(aws, name, env.STATE_MACHINE_ARN_PREFIX, ("openai", "bedrock", "databricks"))
        assert given == trainings, name
    for name in ("finish", "api", "recover"):
        given = _machines(aws, name, env.ENDPOINT_MACHINE_ARN_PREFIX, ("bedrock", "databricks"))
        assert given == every - trainings, name


def test_nobody_else_knows_the_machines(aws: Synthesis) -> None:
    knowing = {
        variable: {handler for handler, each in functions(aws).items() if variable in each["Environment"]["Variables"]}
        for variable in (env.STATE_MACHINE_ARN_PREFIX, env.ENDPOINT_MACHINE_ARN_PREFIX)
    }
    assert knowing == {
        env.STATE_MACHINE_ARN_PREFIX: {"intake.handler", "api.handler", "recover.handler"},
        env.ENDPOINT_MACHINE_ARN_PREFIX: {"finish.handler", "api.handler", "recover.handler"},
    }


def test_bedrock_and_notify_get_what_they_alone_need(aws: Synthesis) -> None:
    assert env.BEDROCK_ROLE_ARN in variables(aws, "bedrock_tasks")
    assert variables(aws, "notify")[env.TOPIC_ARN]["Ref"] in aws.resources("AWS::SNS::Topic")


def test_settings_that_are_not_set_are_no_variables(aws: Synthesis) -> None:
    assert (
        not {env.DATABRICKS_TRAINING_JOB_ID, env.DATABRICKS_VOLUME, env.DATABRICKS_SCHEMA}
        & variables(aws, "databricks_tasks").keys()
    )
    for name in ("intake", "api"):
        assert env.READABLE_BUCKETS not in variables(aws, name)


def test_settings_reach_the_functions_that_use_them(configured: Synthesis) -> None:
    databricks = variables(configured, "databricks_tasks")
    assert databricks[env.DATABRICKS_TRAINING_JOB_ID] == "123456"
    assert databricks[env.DATABRICKS_VOLUME] == "/Volumes/main/tuning/files"
    assert databricks[env.DATABRICKS_SCHEMA] == "main.tuning"
    for name in ("intake", "api"):
        assert variables(configured, name)[env.READABLE_BUCKETS] == "team-data,more-data"
    assert variables(configured, "notify")[env.STAGE] == "prod"


def test_what_is_invoked_asynchronously_is_retried_and_then_kept_in_a_queue(aws: Synthesis) -> None:
    resources = aws.resources(FUNCTION)
    invoked = {}
    for config in aws.resources("AWS::Lambda::EventInvokeConfig").values():
        handler = resources[config["Properties"]["FunctionName"]["Ref"]]["Properties"]["Handler"]
        assert config["Properties"]["MaximumRetryAttempts"] == 2
        invoked[handler] = config["Properties"]["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0]
    assert invoked.keys() == {"intake.handler", "wake.handler", "recover.handler"}
    assert len(set(invoked.values())) == 3
    assert set(invoked.values()) <= aws.resources("AWS::SQS::Queue").keys()
