"""The Catch Hook's one POST against a server that answers anything."""

import json
import os
from random import Random

import pytest
from odd_answers import odd_answer, spoiled, written
from pydantic import SecretStr
from scripted_server import Answer, scripted

from swarm.clients.protocol import HookReceipt, NotSentError, OutcomeUnknownError
from swarm.clients.zapier import ZapierHook
from swarm.settings import ZapierSettings

pytestmark = pytest.mark.integration
FIRST_SEED = int(os.environ.get("SEED", "20261126"))
GOOD: dict[str, object] = {"status": "success", "request_id": "r", "id": "i", "attempt": "a"}
PAYLOAD = {"auto_send": "false", "body_text": "Hello"}


def test_only_a_readable_success_or_silence_is_accepted_and_only_our_errors_leave() -> None:
    with scripted(lambda _: Answer()) as server:
        hook = ZapierHook(
            ZapierSettings(hook_url=SecretStr(f"{server.url}/hooks/catch/1/canary7secret/")),
            deadline_seconds=20.0,
        )
        for seed in range(FIRST_SEED, FIRST_SEED + 2000):
            random = Random(seed)
            good = written(spoiled(GOOD, random) if random.random() < 0.5 else GOOD)
            raw = good.encode("utf-8", "surrogatepass")
            answer = Answer(body=raw) if random.random() < 0.3 else odd_answer(raw, random)
            server.script = lambda _, answer=answer: answer  # type: ignore[misc]
            before = len(server.asked)
            try:
                outcome: object = hook.post(PAYLOAD)
            except (NotSentError, OutcomeUnknownError) as error:
                outcome = error
            except Exception as error:
                raise AssertionError(f"seed {seed}: {type(error).__name__} left") from error
            assert len(server.asked) - before <= 1, f"seed {seed}: posted twice"
            assert "canary7secret" not in str(outcome), f"seed {seed}"
            if isinstance(outcome, HookReceipt):
                assert _says_success(answer), f"seed {seed}"
            if isinstance(outcome, NotSentError):
                assert answer.status == 429, f"seed {seed}"


def _says_success(answer: Answer) -> bool:
    if answer.manner == "raw":
        return False
    if not answer.body.strip() or answer.status == 204:
        return 200 <= answer.status < 300
    try:
        said = json.loads(answer.body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        said = None
    bent = b'"success"' in answer.body  # an odd byte elsewhere in the text changes nothing
    return 200 <= answer.status < 300 and (bent or said == GOOD)
