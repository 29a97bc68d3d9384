"""How to use a stack that runs on this machine: commands to copy and paste, with its own names in them."""

from __future__ import annotations

from datetime import UTC, datetime
from textwrap import dedent

from local.running_stack import GUIDE_BUCKET
from local.simulated_providers import GUIDE_SCHEMA, GUIDE_VOLUME
from local.supervisor import Ready

UNWANTED = (
    *("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION_NAME", "AWS_BEARER_TOKEN_BEDROCK"),
    *("DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET", "DATABRICKS_CONFIG_PROFILE"),
)
"""Variables of the user's own that would win over what is exported here."""


def usage(ready: Ready) -> str:
    """Shell commands for the AWS CLI, for Python and for curl, from the first drop to the report and the endpoint."""
    outputs = ready.outputs
    exports = "\n".join(f"export {name}={value}" for name, value in sorted(ready.environment.items()))
    api = ready.environment["TUNEDROP_URL"]
    month = f"{datetime.now(UTC):%Y-%m}"
    commands = dedent(f"""
        # Drop a file: a job starts by itself. Its provider and model are in the key.
        aws s3 cp examples/support-chat.jsonl s3://{outputs.inbox_bucket}/inbox/openai/gpt-4.1-mini/
        aws s3 cp examples/support-chat.jsonl s3://{outputs.inbox_bucket}/inbox/bedrock/nova-lite/
        aws s3 cp examples/support-completion.jsonl s3://{outputs.inbox_bucket}/inbox/databricks/llama-3.2-3b/

        # The same with Tunedrop's own command line and its Python client, which find all in the environment, in any
        # Python that has had `pip install '.[dspy]'`.
        tunedrop submit examples/support-chat.jsonl --provider openai --model gpt-4.1-mini --watch
        python -c '
        from tunedrop.client import Tunedrop
        job = Tunedrop().finetune(model="bedrock/amazon.nova-lite-v1", train_data="examples/support-chat.jsonl")
        print(job.result())'

        # The code of docs/guide.md runs there, too, in this shell. What its placeholders name is there: the
        # bucket {GUIDE_BUCKET}, the volume {GUIDE_VOLUME} and the schema {GUIDE_SCHEMA}.
        # "databricks_host" is $DATABRICKS_HOST and "databricks_token" is $DATABRICKS_TOKEN.

        # Or call the API, signed, with curl 7.75 or newer. Behind AWS's own URL the path is the same:
        # {outputs.api_url}
        call() {{
          curl --silent --show-error --aws-sigv4 aws:amz:{ready.environment["AWS_REGION"]}:execute-api \\
            --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" --header 'Content-Type: application/json' \\
            "$@"; echo
        }}
        call {api}/v1/jobs
        call {api}/v1/jobs --data '{{"provider": "openai", "model": "gpt-4o-mini",
          "training_file": "s3://{outputs.inbox_bucket}/inbox/openai/gpt-4.1-mini/support-chat.jsonl"}}'

        # List the jobs, newest first.
        aws dynamodb query --table-name {outputs.jobs_table} \\
          --index-name by-created --no-scan-index-forward \\
          --key-condition-expression 'created_month = :month' \\
          --expression-attribute-values '{{":month": {{"S": "{month}"}}}}' \\
          --query 'Items[].[created_at.S, provider.S, model.S, status.S, job_id.S]' --output text

        # The newest one: its record, its timeline, its report once it has ended.
        JOB_ID=$(aws dynamodb query --table-name {outputs.jobs_table} \\
          --index-name by-created --no-scan-index-forward --limit 1 \\
          --key-condition-expression 'created_month = :month' \\
          --expression-attribute-values '{{":month": {{"S": "{month}"}}}}' \\
          --query 'Items[0].job_id.S' --output text)
        aws dynamodb get-item --table-name {outputs.jobs_table} \\
          --key '{{"pk": {{"S": "JOB#'$JOB_ID'"}}, "sk": {{"S": "JOB"}}}}'
        aws dynamodb query --table-name {outputs.jobs_table} \\
          --key-condition-expression 'pk = :job AND begins_with(sk, :event)' \\
          --expression-attribute-values '{{":job": {{"S": "JOB#'$JOB_ID'"}}, ":event": {{"S": "EVENT#"}}}}' \\
          --query 'Items[].[at.S, status.S, phase.S, progress.M.training_loss.N]' --output text
        aws s3 cp s3://{outputs.artifacts_bucket}/jobs/$JOB_ID/report.json -

        # Cancel it; once it has succeeded, what serves its model, which can be started and stopped.
        call --request POST {api}/v1/jobs/$JOB_ID/cancel
        call {api}/v1/jobs/$JOB_ID/endpoint
        call --request POST {api}/v1/jobs/$JOB_ID/endpoint/start
        call --request POST {api}/v1/jobs/$JOB_ID/endpoint/stop

        # One execution is one job. Those at OpenAI; then the newest one's history.
        aws stepfunctions list-executions --state-machine-arn {outputs.openai_state_machine_arn}
        aws stepfunctions get-execution-history --output json --query 'events[].[timestamp, type]' --execution-arn \\
          $(aws stepfunctions list-executions --state-machine-arn {outputs.openai_state_machine_arn} \\
          --query 'executions[0].executionArn' --output text)
    """)
    providers = "\n".join(f"#   {name:<11}{url}" for name, url in ready.providers.items())
    return (
        "\n# In this shell, so that the AWS CLI, Tunedrop's client and DSPy talk to this machine, with made-up keys:\n"
        f"unset {' '.join(UNWANTED)}\n{exports}\nexport AWS_PAGER=\n{commands}\n"
        f"# The simulated providers, by their own SDKs:\n{providers}\n\n# Stop it:\nmake down"
    )
