"""An evaluation reaches nothing of production, nor production of it, whatever way it tries (R-21, R-43)."""

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from profiles.effects import Effect
from profiles.load import shipped_policy, shipped_profile
from profiles.schema import ModelProvider, ModelSpec, Volume
from profiles.setting import Setting
from profiles.upstreams import HeaderCredential, HttpEvaluation, HttpUpstream, StdioUpstream
from runtime.credentials import CredentialFiles
from runtime.errors import KeyFileError
from runtime.gate.cards import HoldCard
from runtime.gate.replies import Done, Pending, Reply, Withheld
from runtime.gate.seen import read_seen
from runtime.record.batch import Tx
from runtime.runs import store
from runtime.runs.states import LaunchRequest, RunError
from runtime.runs.suited import check_suited
from runtime.settings import Settings
from runtime.upstreams.errors import UpstreamUnavailableError
from runtime.upstreams.opener import ServerOpener
from runtime.upstreams.peers import Strays
from runtime.upstreams.providers import provider_of
from sandboxes.errors import VolumeError
from sandboxes.volumes import VolumeStore
from tests.standins.settings import evaluating
from tests.standins.towns import DORA, allowed
from tests.standins.workshop import PROFILE, Workshop, make_workshop

MAIL = Volume(source="mail", target="/data")
PRIVATE = {"folder": "Private"}


@pytest.fixture
def state(tmp_path: Path) -> Settings:
    """A state directory whose two settings have a volume and a credential each."""
    settings = Settings(state_dir=tmp_path / "state", anchor_dir=tmp_path / "anchor")
    for setting in Setting:
        (settings.volumes_of(setting) / "mail").mkdir(parents=True)
        settings.credentials_of(setting).mkdir(parents=True)
        enter(settings, setting, "crm", f"token of {setting}")
    return settings


def enter(settings: Settings, setting: Setting, name: str, secret: str) -> Path:
    path = settings.credentials_of(setting) / name
    path.write_text(secret)
    path.chmod(0o600)
    return path


def volumes(settings: Settings, setting: Setting) -> VolumeStore:
    return VolumeStore(settings.volumes_of(setting), apart=settings.volumes_of(setting.other))


def credentials(settings: Settings, setting: Setting) -> CredentialFiles:
    return CredentialFiles(settings.credentials_of(setting), apart=settings.credentials_of(setting.other))


def test_one_name_is_another_thing_in_each_setting(state: Settings) -> None:
    """R-21: the same profile gets the volume and the credential of the setting that its run is in."""
    sources = {volumes(state, setting).open([MAIL]).mounts[0].source for setting in Setting}
    assert sources == {str(state.volumes_of(setting) / "mail") for setting in Setting}
    for setting in Setting:
        assert credentials(state, setting)("crm") == f"token of {setting}"


def to_the_volume(here: Path, there: Path) -> None:
    (here / "mail").symlink_to(there / "mail")


def to_all_volumes(here: Path, there: Path) -> None:
    (here / "mail").symlink_to(there)


def to_all_there_is(here: Path, there: Path) -> None:
    del there
    (here / "mail").symlink_to("/")


def into_the_volume(here: Path, there: Path) -> None:
    (there / "mail" / "inbox").mkdir()
    (here / "mail").symlink_to(there / "mail" / "inbox")


def by_another_link(here: Path, there: Path) -> None:
    (here.parent / "way").symlink_to(there)
    (here / "mail").symlink_to(here.parent / "way" / "mail")


def to_where_both_lead(here: Path, there: Path) -> None:
    shared = here.parent / "shared"
    (shared / "part").mkdir(parents=True)
    (there / "mail").rmdir()
    (there / "mail").symlink_to(shared)
    (here / "mail").symlink_to(shared / "part")


def one_image_by_link(here: Path, there: Path) -> None:
    (there / "mail").rmdir()
    (there / "mail.img").write_bytes(b"")
    (here / "mail.img").symlink_to(there / "mail.img")


def one_image_by_hard_link(here: Path, there: Path) -> None:
    (there / "mail").rmdir()
    (there / "mail.img").write_bytes(b"")
    os.link(there / "mail.img", here / "mail.img")


@pytest.mark.parametrize("setting", Setting)
@pytest.mark.parametrize(
    "way",
    [
        to_the_volume,
        to_all_volumes,
        to_all_there_is,
        into_the_volume,
        by_another_link,
        to_where_both_lead,
        one_image_by_link,
        one_image_by_hard_link,
    ],
)
def test_no_way_leads_to_the_other_settings_data(
    state: Settings, setting: Setting, way: Callable[[Path, Path], None]
) -> None:
    """R-21: a volume that is, lies in, or holds what the other setting has is not opened."""
    here, there = state.volumes_of(setting), state.volumes_of(setting.other)
    (here / "mail").rmdir()
    way(here, there)
    for entry in (MAIL, MAIL.model_copy(update={"read_only": False})):
        with pytest.raises(VolumeError, match="belongs to the other setting"):
            volumes(state, setting).open([entry])


@pytest.mark.parametrize("setting", Setting)
@pytest.mark.parametrize("way", ["link", "hard link", "copy", "copy under another name"])
def test_no_name_gives_the_other_settings_credential(state: Settings, setting: Setting, way: str) -> None:
    """R-21: by a link, by a copy, under any name."""
    other = state.credentials_of(setting.other) / "crm"
    name = "ledger" if way == "copy under another name" else "crm"
    mine = state.credentials_of(setting) / name
    mine.unlink(missing_ok=True)
    if way == "link":
        mine.symlink_to(other)
    elif way == "hard link":
        os.link(other, mine)
    else:
        enter(state, setting, name, f"{other.read_text()}\n")
    with pytest.raises(KeyFileError, match="belongs to the other setting"):
        credentials(state, setting)(name)


@pytest.mark.parametrize("kind", ["boxed", "http"])
def test_a_refused_credential_is_the_upstreams_failure_and_says_why(state: Settings, kind: str) -> None:
    """R-21: whoever launches reads which file it is, and what to do."""
    enter(state, Setting.EVALUATION, "crm", "token of production")
    profile, policy = shipped_profile("doc-reader").profile, shipped_policy().policy
    opener = ServerOpener(
        profile, policy, credentials=credentials(state, Setting.EVALUATION), setting=Setting.EVALUATION
    )
    boxed = StdioUpstream(kind="stdio", image="x:1", command=("serve",), credentials={"TOKEN": "crm"})
    far = HttpEvaluation(url="https://b.example", credential=HeaderCredential(header="X-Key", name="crm"))
    http = HttpUpstream(kind="http", url="https://a.example", evaluation=far)

    async def ask() -> None:
        peer = await opener.open("files", boxed if kind == "boxed" else http, Strays())
        await peer.request("ping", {}, timeout_s=1)

    with pytest.raises(UpstreamUnavailableError, match=r"upstream files: credential .* other setting"):
        asyncio.run(ask())


def test_a_credential_that_becomes_the_other_settings_is_found_at_its_next_use(state: Settings) -> None:
    """R-21: also in a run that used it before."""
    give = credentials(state, Setting.EVALUATION)
    assert give("crm") == "token of evaluation"
    enter(state, Setting.EVALUATION, "crm", "token of production")
    with pytest.raises(KeyFileError, match="belongs to the other setting"):
        give("crm")


@pytest.mark.parametrize("name", ["../../credentials/crm", "../credentials/crm", "crm/../crm", "."])
def test_a_path_is_no_name(state: Settings, name: str) -> None:
    for setting in Setting:
        with pytest.raises(KeyError):
            credentials(state, setting)(name)


def test_a_credential_of_production_is_none_of_an_evaluation(state: Settings) -> None:
    enter(state, Setting.PRODUCTION, "payroll", "secret")
    with pytest.raises(KeyError):
        credentials(state, Setting.EVALUATION)("payroll")


# --- the key of the model's provider


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"openai_api_key": "sk-production"}, "no key for evaluation runs"),
        (
            {"openai_api_key": "sk-production", "evaluation_openai_api_key": "sk-production"},
            "production's key for evaluation runs",
        ),
    ],
)
def test_the_models_key_of_production_pays_for_no_evaluation(
    tmp_path: Path, keys: dict[str, str], told: str
) -> None:
    """R-21: neither by falling back nor by being entered twice; refused before a box is made."""
    settings = Settings(state_dir=tmp_path, **keys)  # type: ignore[arg-type]  # pydantic reads the text
    spec = ModelSpec(alias="assistant", provider=ModelProvider.OPENAI, name="some-model")
    profile = shipped_profile("doc-reader").profile.model_copy(update={"upstreams": {}, "model": spec})
    check_suited(profile, settings, Setting.PRODUCTION)
    with pytest.raises(RunError, match=told):
        check_suited(profile, settings, Setting.EVALUATION)
    shared = settings.model_copy(update={"evaluation_shares_model_keys": True})
    check_suited(profile, shared, Setting.EVALUATION)


def test_without_a_key_of_its_own_an_evaluation_sends_none(tmp_path: Path) -> None:
    """R-21: even past the check of the launch, production's key is not put on."""
    settings = Settings(state_dir=tmp_path, openai_api_key=SecretStr("sk-production"))
    assert provider_of(ModelProvider.OPENAI, settings).key() == "sk-production"
    with pytest.raises(UpstreamUnavailableError, match="HANDRAIL_EVALUATION_OPENAI_API_KEY"):
        provider_of(ModelProvider.OPENAI, settings, Setting.EVALUATION).key()


# --- what the gate remembers


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Workshop]:
    """A workshop at tier 1 whose run is in production."""
    made = make_workshop(tmp_path, tier=1)
    yield made
    made.town.close()


async def read_once_approved(shop: Workshop) -> Reply:
    """Read a folder that was never read before; DORA lets it happen."""
    doing = asyncio.create_task(shop.act("read_folder", PRIVATE))
    while not await shop.gate.holds.listed():  # noqa: ASYNC110 a row of the database has no event
        await asyncio.sleep(0.005)
    await shop.vote(await shop.waiting(), DORA)
    return await doing


def again(shop: Workshop) -> Reply:
    return asyncio.run(shop.renewed(hold_wait_seconds=0.01).act("read_folder", PRIVATE))


@pytest.mark.parametrize("first", Setting)
def test_what_one_setting_reached_is_new_in_the_other(shop: Workshop, first: Setting) -> None:
    """R-06, R-21: an evaluation cannot teach production what is usual, nor learn it there."""
    other = evaluating(shop)
    one, two = (shop, other) if first is Setting.PRODUCTION else (other, shop)
    assert isinstance(asyncio.run(read_once_approved(one)), Done)
    assert isinstance(again(one), Done)
    assert again(two) == Pending()


def test_a_seen_row_moved_to_the_other_setting_makes_nothing_seen(shop: Workshop) -> None:
    """R-21: the intent that reached it says in which setting it did."""
    assert isinstance(asyncio.run(read_once_approved(evaluating(shop))), Done)
    deployment = shop.run.deployment
    assert len(shop.town.read(lambda conn: read_seen(conn, deployment, Setting.EVALUATION))) == 1
    shop.town.tamper("UPDATE seen SET deployment = :d", d=deployment)
    assert shop.town.read(lambda conn: read_seen(conn, deployment)) == set()
    assert again(shop) == Pending()


def test_an_evaluation_uses_up_no_hour_of_production(tmp_path: Path) -> None:
    """R-21, R-23: and production none of an evaluation; runs of one setting share the hour as before."""
    shop = make_workshop(tmp_path, profile=PROFILE.replace("actions_per_hour: 80", "actions_per_hour: 2"))
    try:
        first, second = evaluating(shop), evaluating(shop, "run-3")
        replies = [asyncio.run(one.act("list_folders")) for one in (first, first, second, shop, shop, shop)]
    finally:
        shop.town.close()
    assert [type(reply) for reply in replies] == [Done, Done, Withheld, Done, Done, Withheld]


def test_who_decides_is_told_that_it_is_an_evaluation(shop: Workshop) -> None:
    """R-21: the card says so, and what is signed binds it; in production the card says nothing of it."""

    async def held(of: Workshop) -> HoldCard:
        await of.renewed(hold_wait_seconds=0.01).act("read_folder", PRIVATE)
        (row,) = [one for one in await of.gate.holds.listed() if one.run == of.run.run]
        return await of.gate.holds.card(row.id)

    other = evaluating(shop)
    assert "setting" not in asyncio.run(held(shop)).fields
    assert asyncio.run(held(other)).fields["setting"] == "evaluation"


def test_the_two_settings_decide_alike(shop: Workshop) -> None:
    """R-21, R-43: no check knows the setting; the agent is answered the same."""
    calls: tuple[tuple[str, dict[str, object]], ...] = (
        ("list_folders", {}),
        ("set_label", {"message_id": "1", "label": "good"}),
        ("update_record", {"number": "7"}),
        ("send_mail", {"to": ["bob@partner.example"], "subject": "s", "body": "b"}),
        ("pay", {"to": "bob@partner.example", "amount": 5}),
        ("set_label", {"message_id": "1", "label": "unheard"}),
    )
    other = evaluating(shop)
    answers = [[asyncio.run(of.act(tool, args)) for tool, args in calls] for of in (shop, other)]
    assert answers[0] == answers[1]
    query = "SELECT answer FROM action WHERE run = :run ORDER BY log_seq"
    decided = [[row[0] for row in shop.rows(query, run=of.run.run)] for of in (shop, other)]
    assert decided[0] == decided[1]
    assert len(set(decided[0])) > 2


@pytest.mark.parametrize(
    ("tool", "args"),
    [("shred", {"number": "7"}), ("fetch", {"url": "http://known.example/var/run/docker.sock"})],
)
def test_what_is_never_permitted_costs_power_in_an_evaluation_too(
    shop: Workshop, tool: str, args: dict[str, object]
) -> None:
    """R-14, R-43: no setting is a place to try it out."""
    assert allowed(shop.town, shop.run.deployment) == {Effect.READ, Effect.DRAFT}
    assert asyncio.run(evaluating(shop).act(tool, args)) == Withheld()
    assert Effect.DRAFT not in allowed(shop.town, shop.run.deployment)


# --- what a run works on is what the record of its launch says


@pytest.mark.parametrize("setting", Setting)
def test_a_changed_row_moves_no_run_to_the_other_setting(shop: Workshop, setting: Setting) -> None:
    """R-21: an evaluation's approved write cannot be turned to production, nor the other way round."""
    town = shop.town
    request = LaunchRequest(deployment=shop.run.deployment, operator="olga", setting=setting)

    def check() -> None:
        town.read(lambda conn: store.check_setting(conn, store.find(conn, "run-9")))

    def launched(tx: Tx) -> None:
        store.requested(tx, "run-9", request, agent="bot", node="n", expires_at=town.now, now=town.now)

    town.write(launched)
    check()
    town.tamper("UPDATE run SET setting = :other", other=setting.other.value)
    with pytest.raises(RunError, match=f"its row says {setting.other}, the record of its launch {setting}"):
        check()


def test_a_run_without_a_recorded_launch_works_on_nothing(shop: Workshop) -> None:
    shop.town.tamper("UPDATE run SET id = 'run-7' WHERE id = 'run-1'")
    with pytest.raises(RunError, match="the record of its launch is not there"):
        shop.town.read(lambda conn: store.check_setting(conn, store.find(conn, "run-7")))
