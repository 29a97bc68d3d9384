"""Functions run as on AWS: what their code sees, and what their callers see when it fails."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.emulator.process import EmbeddedAws

from .conftest import RUNTIME, Deploy, Invoke, archive, eventually, name


def test_the_exceptions_class_is_the_error_type(deploy: Deploy, invoke: Invoke) -> None:
    error = invoke(
        deploy("class Busy(Exception): pass\ndef handler(event, context):\n    raise Busy('later')"), {"any": "event"}
    )
    assert (error["errorType"], error["errorMessage"]) == ("Busy", "later")
    assert "raise Busy" in error["stackTrace"][0]
    assert error["requestId"]


def test_an_exception_leaves_the_environment_warm(deploy: Deploy, invoke: Invoke) -> None:
    function = deploy(
        """
        runs = []
        def handler(event, context):
            runs.append(1)
            if event: raise ValueError
            return len(runs)
        """
    )
    invoke(function, "fail")
    assert invoke(function) == 2


def test_a_function_sees_its_own_variables_and_those_of_lambda_only(
    aws: EmbeddedAws, deploy: Deploy, invoke: Invoke
) -> None:
    function = deploy(
        "import os\ndef handler(event, context): return dict(os.environ)",
        Environment={"Variables": {"OWN": "variable"}},
        MemorySize=256,
    )
    seen = invoke(function)
    assert set(seen) == {
        "OWN",
        "HANDED_OVER",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        "AWS_DISABLE_HOST_PREFIX_INJECTION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "_HANDLER",
        "LAMBDA_TASK_ROOT",
        "LANG",
        "PATH",
        "TZ",
        "HOME",
        "TMPDIR",
    }
    assert seen["OWN"] == "variable"
    assert seen["HANDED_OVER"] == "to every function"
    assert seen["AWS_ENDPOINT_URL"] == aws.url
    assert seen["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] == "http://127.0.0.1:9"
    assert seen["AWS_EXECUTION_ENV"] == f"AWS_Lambda_{RUNTIME}"
    assert seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"


def test_a_function_finds_no_home_of_a_user(deploy: Deploy, invoke: Invoke) -> None:
    source = "import pathlib\ndef handler(event, context): return [str(p) for p in pathlib.Path.home().iterdir()]"
    assert invoke(deploy(source)) == []


@pytest.mark.parametrize("module", ["ministack", "botocore", "yaml", "boto3", "pip", "setuptools", "local"])
def test_nothing_of_this_machine_can_be_imported(module: str, deploy: Deploy, invoke: Invoke) -> None:
    error = invoke(deploy(f"def handler(event, context): import {module}"))
    assert error["errorType"] == "ModuleNotFoundError"


def test_code_comes_before_layers_and_the_last_layer_before_the_first(
    aws: EmbeddedAws, deploy: Deploy, invoke: Invoke
) -> None:
    client = aws.client("lambda")
    site = f"python/lib/{RUNTIME}/site-packages"
    layers = [
        client.publish_layer_version(LayerName=name(), Content={"ZipFile": archive(files)})["LayerVersionArn"]
        for files in (
            {"python/both.py": "where = 'first'", "python/index.py": "", f"{site}/deep.py": "where = 'packages'"},
            {"python/both.py": "where = 'second'", "python/colorsys.py": "where = 'layer'"},
        )
    ]
    source = "import both, deep, colorsys\ndef handler(event, context): return both.where, deep.where, colorsys.where"
    assert invoke(deploy(source, Layers=layers)) == ["second", "packages", "layer"]


def test_the_same_code_is_unpacked_once(deploy: Deploy, invoke: Invoke) -> None:
    source = "import os\ndef handler(event, context): return os.getcwd()"
    assert invoke(deploy(source)) == invoke(deploy(source))


def test_the_context_has_what_aws_documents(deploy: Deploy, invoke: Invoke) -> None:
    source = """
        def handler(event, context):
            return [context.function_name, context.function_version, context.memory_limit_in_mb,
                    context.invoked_function_arn, len(context.aws_request_id), context.log_group_name,
                    0 < context.get_remaining_time_in_millis() <= 20000]
        """
    function = deploy(source)
    own = function.rsplit(":", 1)[1]
    assert invoke(function) == [own, "$LATEST", "128", function, 36, f"/aws/lambda/{own}", True]


def test_what_a_function_prints_is_its_log_and_never_its_answer(
    aws: EmbeddedAws, deploy: Deploy, invoke: Invoke
) -> None:
    function = deploy(
        """
        import os, subprocess
        print("while it loads")
        def handler(event, context):
            os.write(1, b'{"result": "forged"}\\n')
            subprocess.run(["echo", "from a program"])
            print("from python")
            return "true answer"
        """
    )
    assert invoke(function) == "true answer"
    group = f"/aws/lambda/{function.rsplit(':', 1)[1]}"
    messages = [event["message"] for event in aws.client("logs").filter_log_events(logGroupName=group)["events"]]
    assert messages[1:5] == ["while it loads", '{"result": "forged"}', "from a program", "from python"]
    assert messages[0].startswith("START")
    assert messages[5].startswith("END")


def test_a_warm_function_that_logs_nothing_answers_as_soon_as_one_that_does(deploy: Deploy, invoke: Invoke) -> None:
    silent, talking = deploy("def handler(event, context): return event"), deploy("def handler(*_): print('said')")

    def least_seconds(function: str) -> float:
        durations = []
        for _ in range(20):
            started = time.monotonic()
            invoke(function)
            durations.append(time.monotonic() - started)
        return min(durations)

    assert least_seconds(silent) - least_seconds(talking) < 0.03  # 0.05 s of waiting alone without the change


@pytest.mark.parametrize(
    ("source", "error_type", "message"),
    [
        ("import nowhere", "Runtime.ImportModuleError", "Unable to import module 'index': No module named 'nowhere'"),
        ("", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'index'"),
        ("def handler(:", "Runtime.UserCodeSyntaxError", "Syntax error in module 'index'"),
        ("raise KeyError('setting')", "KeyError", "'setting'"),
        ("def handler(event, context): return {1, 2}", "Runtime.MarshalError", "Unable to marshal response"),
        ("import os\ndef handler(event, context): os._exit(3)", "Runtime.ExitError", "exit status 3"),
        ("import sys\ndef handler(event, context): sys.exit(4)", "Runtime.ExitError", "exit status 4"),
    ],
)
def test_a_function_that_cannot_run_says_why(
    source: str, error_type: str, message: str, deploy: Deploy, invoke: Invoke
) -> None:
    error = invoke(deploy(source))
    assert error["errorType"] == error_type
    assert message in error["errorMessage"]


def test_a_function_that_exits_or_is_too_slow_starts_anew(deploy: Deploy, invoke: Invoke) -> None:
    function = deploy("import time\ndef handler(event, context):\n    time.sleep(event)\n    return 'fine'", Timeout=1)
    error = invoke(function, 30)
    assert error["errorType"] == "Sandbox.Timedout"
    assert error["errorMessage"].endswith("Task timed out after 1.00 seconds")
    assert invoke(function, 0) == "fine"


HELD = """
    import os, pathlib, time
    def handler(event, context):
        pathlib.Path(event["began"]).write_text(str(os.getpid()))
        while not os.path.exists(event["may_end"]):
            time.sleep(0.01)
        return os.environ["WHICH"]
    """


def test_an_invocation_that_is_under_way_when_its_function_changes_ends_as_it_began(
    aws: EmbeddedAws, deploy: Deploy, invoke: Invoke, tmp_path: Path
) -> None:
    function = deploy(HELD, Environment={"Variables": {"WHICH": "old"}})
    began, may_end = tmp_path / "began", tmp_path / "may-end"
    event = {"began": str(began), "may_end": str(may_end)}
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(invoke, function, event)
        process_id = eventually(lambda: began.exists() and began.read_text())
        changed = {"Variables": {"WHICH": "new"}}
        aws.client("lambda").update_function_configuration(FunctionName=function, Environment=changed)
        may_end.touch()
        assert under_way.result() == "old"
    assert invoke(function, event) == "new"
    eventually(lambda: not Path(f"/proc/{process_id}").exists())


def test_a_function_runs_its_new_code_after_an_update(aws: EmbeddedAws, deploy: Deploy, invoke: Invoke) -> None:
    function = deploy("def handler(event, context): return 'old'")
    assert invoke(function) == "old"
    code = archive({"index.py": "def handler(event, context): return 'new'"})
    aws.client("lambda").update_function_code(FunctionName=function, ZipFile=code)
    assert eventually(lambda: invoke(function) == "new")
