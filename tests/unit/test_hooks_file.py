"""The file of webhooks: what it may say, and what is refused without a secret being told."""

from pathlib import Path

import pytest

from shared.core.errors import Misconfigured
from shared.hooks.file import load_hooks

SECRET = "a secret of 24 bytes and more"
ENVIRONMENT = {"SECRET": SECRET.replace(" ", "-"), "TWO": f"{'a' * 24} {'b' * 24}", "SLACK": "https://hooks/T0/private"}
HOOK = '[[hook]]\nname = "team"\nurl = "https://example.org/private"\nsecret_env = "SECRET"\n'


def written(folder: Path, text: str) -> str:
    path = folder / "webhooks.toml"
    path.write_text(text)
    return str(path)


def test_hooks_are_read_with_their_secrets_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "own.json").write_text('{"text": "$text"}')
    text = HOOK + (
        '[[hook]]\nname = "slack"\nurl_env = "SLACK"\ntemplate = "slack"\non = ["batch", "dead-lettered"]\n'
        '[[hook]]\nname = "own"\nurl = "http://localhost:1"\nsecret_env = "TWO"\ntemplate = "own.json"\n'
        '[[hook]]\nname = "other"\nurl = "http://localhost:1"\nsecret_env = "TWO"\npipelines = ["tickets"]\n'
    )
    team, slack, own = load_hooks(written(tmp_path, text), ENVIRONMENT, "documents")
    assert (team.secrets, team.on) == ((ENVIRONMENT["SECRET"].encode(),), {"batch"})
    assert (slack.url, slack.secrets, slack.words.kind) == ("https://hooks/T0/private", (), "slack")
    assert own.secrets == (b"a" * 24, b"b" * 24)
    assert own.words.template == '{"text": "$text"}'
    assert "private" not in repr((team, slack))
    assert "a-secret" not in repr(team)
    assert load_hooks("", ENVIRONMENT, "documents") == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[hook", "webhooks.toml"),
        (HOOK + 'secret = "a secret"', "secret"),
        (HOOK.replace("SECRET", "UNSET"), "UNSET is not set"),
        (HOOK.replace("SECRET", "SLACK").replace('"team"', '"Team"'), "name"),
        (HOOK + HOOK, "two hooks are called team"),
        (HOOK + 'on = ["finished"]', "give some of batch, stored"),
        (HOOK + "on = []", "give some of"),
        (HOOK + 'template = "away.json"', "away.json"),
        (HOOK + 'url_env = "SLACK"', "give url, or url_env"),
        (HOOK.replace("https://example.org/private", "file:///etc/passwd"), "no address"),
        (HOOK.replace("https://example.org/private", "https://"), "no address"),
        (HOOK.replace('secret_env = "SECRET"\n', ""), "give secret_env"),
        (HOOK + "attempts = 0", "attempts"),
        ("[hooks]\n", "hooks"),
    ],
)
def test_what_is_wrong_is_named_and_no_secret_is(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        load_hooks(written(tmp_path, text), ENVIRONMENT, "documents")
    assert said in str(refused.value)
    assert "private" not in str(refused.value)
    assert "a secret" not in str(refused.value)


def test_a_file_that_is_not_there_and_a_template_that_cannot_work_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="PENSTOCK_WEBHOOKS"):
        load_hooks(str(tmp_path / "none.toml"), ENVIRONMENT, "documents")
    for template in ("", '{"a": "$nobody"}', '{"a": $text}'):
        (tmp_path / "own.json").write_text(template)
        with pytest.raises(Misconfigured, match=r"own\.json"):
            load_hooks(written(tmp_path, HOOK + 'template = "own.json"'), ENVIRONMENT, "documents")
