"""`tunedrop ask`: a question to a job's tuned model, and its answer."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tunedrop.client.cli.connecting import AsJson, JobId, Profile, Region, Url, connect
from tunedrop.client.cli.failures import ExitCode, UsageError

if TYPE_CHECKING:
    from tunedrop.client.asking import Answer

LONGEST_QUESTION_BYTES = 4 * 1024 * 1024
"""More than any model reads."""


class Refused(typer.TyperException):
    """There is nothing to ask, or the provider refuses; the message says why."""

    exit_code = ExitCode.REFUSED


def ask(
    job_id: JobId,
    question: Annotated[
        str, typer.Argument(metavar="QUESTION", help="What is asked, in quotes. A - reads standard input.")
    ],
    system: Annotated[
        str | None, typer.Option("--system", metavar="TEXT", help="The system prompt. Use that of the training rows.")
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", min=1, metavar="COUNT", help="How long the answer may be.")
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", min=0.1, metavar="SECONDS", help="How long the answer is waited for.")
    ] = 120.0,
    url: Url = None,
    profile: Profile = None,
    region: Region = None,
    as_json: AsJson = False,
) -> None:
    """Ask the tuned model of a job, with your own credentials: neither question nor answer passes the stack.

    Amazon Bedrock is asked with your AWS credentials. OpenAI takes the key in OPENAI_API_KEY, and is at
    OPENAI_BASE_URL where that is set. Databricks takes the token in DATABRICKS_TOKEN, of the workspace DATABRICKS_HOST.
    """
    from tunedrop.client.asking import AskingError, Question
    from tunedrop.client.asking import ask as ask_model
    from tunedrop.client.cli.output import print_json
    from tunedrop.client.cli.waiting_line import waiting_line

    asked = Question(text=_text(question), system=system or None, max_tokens=max_tokens, timeout=timeout)
    try:
        with connect(url, profile, region) as tunedrop, waiting_line("Asking"):
            answer = ask_model(tunedrop, job_id, asked)
    except AskingError as error:
        raise Refused(str(error)) from None
    if as_json:
        print_json(_document(answer))
    else:
        _print(answer)


def _text(question: str) -> str:
    """Raises UsageError where there is nothing to ask."""
    text = _standard_input() if question == "-" else question
    if not text.strip():
        raise UsageError("The question is empty.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError("The question holds bytes that are no text: write it in UTF-8.") from None
    return text


def _standard_input() -> str:
    if sys.stdin is None:
        raise UsageError("cannot read <stdin>: it is closed")
    content = sys.stdin.buffer.read(LONGEST_QUESTION_BYTES + 1)
    if len(content) > LONGEST_QUESTION_BYTES:
        raise UsageError("The question is longer than 4 MB, which no model reads.")
    try:
        return content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise UsageError("The question on <stdin> is not UTF-8.") from None


def _document(answer: Answer) -> dict[str, object]:
    reply = answer.reply
    return {
        "job_id": answer.job_id,
        "provider": answer.provider,
        "model": answer.model,
        "answer": reply.text,
        "stop_reason": reply.stop_reason,
        "input_tokens": reply.input_tokens,
        "output_tokens": reply.output_tokens,
    }


def _print(answer: Answer) -> None:
    from tunedrop.client.cli.printable import printable

    for line in answer.reply.text.splitlines() or [""]:
        print("\t".join(map(printable, line.split("\t"))))
    if answer.reply.cut:
        print("note: the answer is cut: it may not be longer (see --max-tokens).", file=sys.stderr)
