"""What sets the functions off, and what happens to what they cannot handle."""

from __future__ import annotations

import json
from typing import Any

from tests.infra.templates import Synthesis, as_list
from tunedrop.jobs.order import token_for


def rules(synthesis: Synthesis) -> dict[str, dict[str, Any]]:
    """The properties of each rule, by the handler that it sets off."""
    found = {}
    for rule in synthesis.resources("AWS::Events::Rule").values():
        (target,) = rule["Properties"]["Targets"]
        function = synthesis.template["Resources"][target["Arn"]["Fn::GetAtt"][0]]
        found[function["Properties"]["Handler"]] = rule["Properties"]
    return found


def test_three_rules_set_off_three_functions(aws: Synthesis) -> None:
    assert len(aws.resources("AWS::Events::Rule")) == 3
    assert rules(aws).keys() == {"intake.handler", "wake.handler", "recover.handler"}
    assert {rule["State"] for rule in rules(aws).values()} == {"ENABLED"}


def test_new_objects_under_inbox_and_uploads_go_to_intake(aws: Synthesis) -> None:
    assert rules(aws)["intake.handler"]["EventPattern"] == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": [{"Ref": "StorageInbox618003E1"}]},
            "object": {"key": [{"prefix": "inbox/"}, {"prefix": "uploads/"}]},
        },
    }


def test_bedrocks_news_of_our_jobs_go_to_wake(aws: Synthesis) -> None:
    job_id = "a" * 26
    pattern = rules(aws)["wake.handler"]["EventPattern"]
    assert pattern == {
        "source": ["aws.bedrock"],
        "detail-type": ["Model Customization Job State Change"],
        "detail": {"jobName": [{"prefix": "tunedrop-"}]},
    }
    assert token_for(job_id).startswith(pattern["detail"]["jobName"][0]["prefix"])


def test_every_machines_executions_that_nobody_meant_to_end_go_to_recover(aws: Synthesis) -> None:
    pattern = rules(aws)["recover.handler"]["EventPattern"]
    assert pattern["source"] == ["aws.states"]
    assert pattern["detail-type"] == ["Step Functions Execution Status Change"]
    assert sorted(pattern["detail"]["status"]) == ["ABORTED", "FAILED", "TIMED_OUT"]
    named = [each["Fn::Join"][1][-1].removeprefix(":stateMachine:") for each in pattern["detail"]["stateMachineArn"]]
    deployed = [
        each["Properties"]["StateMachineName"] for each in aws.resources("AWS::StepFunctions::StateMachine").values()
    ]
    assert sorted(named) == sorted(deployed)
    assert len(named) == 5


def test_every_target_of_a_rule_is_retried_for_a_day_and_then_kept(aws: Synthesis) -> None:
    for rule in aws.resources("AWS::Events::Rule").values():
        for target in rule["Properties"]["Targets"]:
            assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
            assert target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0] in aws.resources("AWS::SQS::Queue")


def test_every_change_of_a_job_or_an_endpoint_and_of_nothing_else_goes_to_notify(aws: Synthesis) -> None:
    (mapping,) = (each["Properties"] for each in aws.resources("AWS::Lambda::EventSourceMapping").values())
    function = aws.template["Resources"][mapping["FunctionName"]["Ref"]]
    assert function["Properties"]["Handler"] == "notify.handler"
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": ["StorageJobs4C7573CB", "StreamArn"]}
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    patterns = [json.loads(each["Pattern"]) for each in mapping["FilterCriteria"]["Filters"]]
    assert patterns == [{"dynamodb": {"Keys": {"sk": {"S": ["JOB", "ENDPOINT"]}}}}]


def test_one_bad_change_holds_nothing_up_and_is_kept(aws: Synthesis) -> None:
    (mapping,) = (each["Properties"] for each in aws.resources("AWS::Lambda::EventSourceMapping").values())
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["MaximumRetryAttempts"] == 10
    assert mapping["MaximumRecordAgeInSeconds"] == 86_400
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0] in aws.resources("AWS::SQS::Queue")


def test_each_way_to_fail_has_a_queue_of_its_own(aws: Synthesis) -> None:
    text = json.dumps([aws.resources("AWS::Events::Rule"), aws.resources("AWS::Lambda::EventSourceMapping")])
    text += json.dumps(aws.resources("AWS::Lambda::EventInvokeConfig"))
    assert all(text.count(f'"{queue}"') == 1 for queue in aws.resources("AWS::SQS::Queue"))


def test_only_the_rules_may_send_to_a_queue_from_outside(aws: Synthesis) -> None:
    senders = [
        (statement["Principal"], statement["Condition"]["ArnEquals"]["aws:SourceArn"])
        for policy in aws.resources("AWS::SQS::QueuePolicy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow" and "sqs:SendMessage" in as_list(statement["Action"])
    ]
    assert len(senders) == 3
    for rule in aws.resources("AWS::Events::Rule"):
        assert ({"Service": "events.amazonaws.com"}, {"Fn::GetAtt": [rule, "Arn"]}) in senders


def test_the_outputs_say_where_everything_is(aws: Synthesis) -> None:
    assert aws.template["Outputs"].keys() == {
        "ApiUrl",
        "InboxBucket",
        "ArtifactsBucket",
        "JobsTable",
        "TopicArn",
        "OpenaiStateMachineArn",
        "BedrockStateMachineArn",
        "DatabricksStateMachineArn",
        "BedrockEndpointMachineArn",
        "DatabricksEndpointMachineArn",
    }
