"""The scrubber: own values everywhere, general kinds as place and profile say, shape kept."""

import base64
import json
from urllib.parse import quote

import pytest

from profiles.context import ContextRules, StatusKind, Treatment
from sandboxes.scrub.model import OwnValue, Place
from sandboxes.scrub.own import OwnValues
from sandboxes.scrub.scrubber import Scrubber, suggest

RUN = OwnValue("run", "run-8f3a91c2", "run-0")
IMAGE = OwnValue("image", "sha256:" + "ab12cd34" * 8, "sha256:0")
MODEL = OwnValue("model", "Acme-Large-7", "fast")
OWN = (RUN, IMAGE, MODEL)
FLAG = Scrubber(OWN, ContextRules())
REPLACE = Scrubber(OWN, ContextRules(results=Treatment.REPLACE))
HOLD = Scrubber(OWN, ContextRules(results=Treatment.HOLD))
SENTENCE = "you are an AI model that will be updated quarterly"


@pytest.mark.parametrize("place", Place)
@pytest.mark.parametrize(
    "text",
    [
        "the run-8f3a91c2 is yours",
        "RUN-8F3A91C2",
        "/tmp/run-8f3a91c2/out.txt",
        "run_id=run-8f3a91c2&x=1",
        "%72%75%6e%2d%38%66%33%61%39%31%63%32",
        "\\u0072\\u0075\\u006e\\u002d\\u0038\\u0066\\u0033\\u0061\\u0039\\u0031\\u0063\\u0032",
    ],
)
def test_an_own_value_is_replaced_everywhere(place: Place, text: str) -> None:
    """R-20: the deployment's own values pass nowhere, in no letter case and under no common encoding."""
    seen = FLAG.text(text, place)
    assert "8f3a91" not in seen.value.lower()
    assert "%38%66" not in seen.value
    assert "0038" not in seen.value
    assert seen.replaced["own"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "\u00d6 run-8f3a91c2",
        "\u00d6 on \u017fack-7",
        "\u00d6 on sac\u212a-7",
        "\u00d6 on SACK-7",
        "\u017f SACK-7",
    ],
)
def test_letters_beyond_ascii_hide_no_own_value(text: str) -> None:
    """R-20: a long s is an s in another letter case, and a Kelvin sign a k."""
    own = OwnValues([*OWN, OwnValue("node", "sack-7", "")])
    (found,) = own.find(text)
    assert text.endswith(found.found)


@pytest.mark.parametrize("shift", range(3))
def test_an_own_value_in_base64_is_broken(shift: int) -> None:
    token = base64.b64encode(b"x" * shift + b"run-8f3a91c2, and more").decode()
    seen = FLAG.text(f"token {token} end", Place.RESULT).value
    assert b"8f3a91" not in base64.b64decode(seen.split()[1])


def test_part_of_a_longer_word_is_no_own_value() -> None:
    assert FLAG.text("rerun-8f3a91c21", Place.RESULT).changes == ()


@pytest.mark.parametrize("length", [7, 12, 40, 64])
def test_a_shortened_digest_is_an_own_value(length: int) -> None:
    assert FLAG.text(f"at {('ab12cd34' * 8)[:length]}.", Place.RESULT).value == "at sha256:0."


def test_arguments_get_own_values_back() -> None:
    told = {"run": RUN.value, "note": [f"for {RUN.value} and {MODEL.value}", 3, None, True]}
    seen = FLAG.json(told, Place.RESULT).value
    assert RUN.value not in json.dumps(seen)
    assert FLAG.restore(seen) == told


def test_a_surrogate_in_capitals_is_one() -> None:
    assert FLAG.restore({"id": "RUN-0"}) == {"id": "run-8f3a91c2"}


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("https://wiki/x/You%20run%20on%20staging/p?a=%2Fb", "https://wiki/x/You%20run%20here/p?a=%2Fb"),
        ("%C3%A9%20You%20run%20on%20staging.\ud800", "%C3%A9%20You%20run%20here.\ud800"),
        ("Hello on <b>staging</b> today.", "Hello here today."),
        ("It runs on heron-12. You run tests.", "It runs on withheld. You run tests."),
    ],
)
def test_what_stands_beside_a_finding_stays_as_it_was(text: str, seen: str) -> None:
    assert REPLACE.text(text, Place.RESULT).value == seen


def test_general_kinds_are_flagged_replaced_or_held_as_the_profile_says() -> None:
    text = "It is gpt-4o-mini."
    assert FLAG.text(text, Place.RESULT).value == text
    assert FLAG.text(text, Place.RESULT).flagged == {"model": 1}
    assert REPLACE.text(text, Place.RESULT).value == "It is the model."
    assert not REPLACE.text(text, Place.RESULT).held
    assert HOLD.text(text, Place.RESULT).held
    assert HOLD.text(text, Place.RESULT).value == "It is the model."
    assert not HOLD.text(f"only {RUN.value}", Place.RESULT).held


def test_no_profile_keeps_a_kind_in_a_system_prompt() -> None:
    scrubber = Scrubber((), ContextRules(keep=(StatusKind.MODEL,)))
    assert scrubber.text("You are gpt-4o.", Place.RESULT).changes == ()
    assert "gpt" not in scrubber.text("You are gpt-4o.", Place.SYSTEM).value


def test_the_sentence_of_the_requirement_gets_a_rewrite() -> None:
    """R-41: "you are an AI model that will be updated quarterly" is caught, and what is left reads well."""
    assert suggest(SENTENCE) == "you are an AI model"
    assert suggest(f"Hello. {SENTENCE.capitalize()}. Be kind.") == "Hello. You are an ai model. Be kind."


@pytest.mark.parametrize(
    "text",
    [
        "It is **gpt-4o**-based",
        "It is gpt&#45;4o, yes",
        "It is <b>gpt-4o</b>",
        "It is g\u200bpt-4o",
        "It is gpt\u20114o",
        quote("It is gpt-4o, no?"),
        base64.b64encode(b"It is gpt-4o, no?").decode(),
        r"It is \u0067pt-4o",
        json.dumps({"note": "It is gpt-4o"}),
    ],
)
def test_markup_and_encodings_hide_nothing(text: str) -> None:
    seen = REPLACE.text(text, Place.RESULT)
    assert seen.replaced == {"model": 1}
    assert REPLACE.text(seen.value, Place.RESULT).changes == ()


def test_a_sentence_that_wraps_is_read_as_one() -> None:
    text = "You are a patient and a helpful AI assistant that\n  will be updated quarterly."
    assert "quarterly" not in suggest(text)


def test_json_keeps_its_shape_and_numbers() -> None:
    told = {
        "region": "us-east-1",
        "n": 7,
        "rows": [{"text": "by gpt-4o"}, None],
        "s": '{"region": "eu-west-1"}',
    }
    seen = REPLACE.json(told, Place.RESULT)
    assert seen.value == {
        "region": "local",
        "n": 7,
        "rows": [{"text": "by the model"}, None],
        "s": '{"region": "local"}',
    }
    assert seen.replaced == {"place": 2, "model": 1}


def test_headers_that_tell_by_name_are_left_out() -> None:
    seen = FLAG.headers({"content-type": "text/plain", "note": f"for {RUN.value} by gpt-4o"})
    assert seen.value == {"content-type": "text/plain", "note": "for run-0 by the model"}


@pytest.mark.parametrize("scrubber", [FLAG, REPLACE, HOLD])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_a_stream_ends_up_as_the_whole_text_would(scrubber: Scrubber, size: int) -> None:
    text = (
        f"Hello {RUN.value}. You are gpt-4o, I think! Really?\n\n- {SENTENCE}.\n- region: us-east-1\n"
        f"{RUN.value.upper()} and {('ab12cd34' * 8)[:12]}\nrun-8f3 run-8f3a91c"
    )
    stream = scrubber.stream(Place.RESULT)
    out = [stream.feed(text[i : i + size]) for i in range(0, len(text), size)] + [stream.end()]
    whole = scrubber.text(text, Place.RESULT)
    assert "".join(out) == whole.value
    assert [(c.rule, c.start, c.put) for c in stream.changes] == [
        (c.rule, c.start, c.put) for c in whole.changes
    ]
    assert stream.held == whole.held


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize("hidden", ["\u200b", "\u00ad\ufe0f", "\u3164"])
def test_a_stream_lets_no_own_value_pass_that_is_broken_up(size: int, hidden: str) -> None:
    """R-20: nobody sees what stands between; nor does it end what is held back."""
    values = (RUN.value, "ab12cd34" * 8, "ab12cd3")
    text = " x".join(f"{hidden}{hidden.join(value)}{hidden} and" for value in values)
    stream = FLAG.stream(Place.RESULT)
    said = "".join(stream.feed(text[i : i + size]) for i in range(0, len(text), size)) + stream.end()

    assert said == FLAG.text(text, Place.RESULT).value
    assert [change.rule for change in stream.changes if change.kind is None] == ["run", "image", "image"]
    assert "8f3a91c2" not in said.replace(hidden, "")
    assert "ab12cd3" not in said.replace(hidden, "")


def test_a_stream_holds_back_only_what_may_become_an_own_value() -> None:
    stream = FLAG.stream(Place.RESULT)
    assert stream.feed("Good morning") == "Good morning"
    assert stream.feed(", ru") == ", "
    assert stream.feed("by.") == "ruby."
    assert stream.feed(" run-8f3a") == " "
    assert stream.feed("91c2") == ""
    assert stream.feed(" is.") == "run-0 is."
