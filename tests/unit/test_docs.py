"""The documents stay true: commands parse, offline examples run, links lead somewhere, tables match the code."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import typer
from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase
from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined
from typer.core import TyperCommand, TyperGroup
from typer.testing import CliRunner

from messaging import headers, topology
from ops.commands.relay import app
from ops.http.metrics import CAUSES, WorkerMetrics
from producers.source import Signature
from producers.stripe.stripe import KINDS
from producers.stripe.subscribed import ALL
from producers.webhooks.measures import Measures
from runtime.sections_webhooks import WebhookSettings
from runtime.settings import BucketSettings, RabbitSettings, Settings
from schemas.catalog import EVENT_TYPES
from simulator.books.dialect import CHOICES
from simulator.service.simulation import Simulation
from simulator.switching.switching import ACTS, switch
from solid.dialect import Dialect
from tests.unit.producers.sourcing import signature_of, webhook_of
from workers import classify

ROOT = Path(__file__).parents[2]
PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))
RELAY = typer.main.get_command(app)


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def fenced(text: str, *languages: str) -> Iterator[str]:
    for language, block in re.findall(r"^ *```(\w*)\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE):
        if language in languages:
            yield block


def shell_lines() -> Iterator[tuple[str, str]]:
    """Every command line of every fenced shell block, with the page it stands on."""
    for page in PAGES:
        for block in fenced(page.read_text(encoding="utf-8"), "shell", "sh", "console", "bash"):
            yield from ((page.name, line.strip()) for line in block.splitlines() if line.strip())


def relay_commands() -> Iterator[tuple[str, list[str]]]:
    """Each use of `relay`, also in the middle of a pipe and in the command's own help texts."""
    documented = [*shell_lines(), *(("help", line) for line in help_examples(RELAY))]
    for page, line in documented:
        for part in line.split("|"):
            words = [word for word in shlex.split(part, comments=True) if not word.startswith("RELAY_")]
            if words and words[0].removeprefix(".venv/bin/") == "relay":
                yield page, words[1:]


def help_examples(command: object) -> Iterator[str]:
    example = re.search(r"Example: (.*?)(?:\n\n|\Z)", getattr(command, "help", None) or "", re.DOTALL)
    if example:
        yield " ".join(example[1].split())
    for inner in getattr(command, "commands", {}).values():
        yield from help_examples(inner)


def table(text: str, first_column: str) -> Iterator[list[str]]:
    """The rows of every table whose first column has this heading; code marks taken off."""
    inside = False
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not cells:
            inside = False
        elif inside and not set(cells[0]) <= {"-", ":"}:
            yield cells
        inside = inside or (bool(cells) and cells[0] == first_column)


def code(cell: str) -> str:
    return cell.strip("`")


def parse(arguments: list[str]) -> None:
    """Let the command line's own parser read it; nothing is run."""
    command: object = RELAY
    while isinstance(command, TyperGroup):
        if command.invoke_without_command and not arguments:
            return
        assert arguments, f"{command.name} needs a command"
        assert arguments[0] in command.commands, f"{command.name} has no command {arguments[0]}"
        command, arguments = command.commands[arguments[0]], arguments[1:]
    assert isinstance(command, TyperCommand)
    command.make_context(command.name, list(arguments))


COMMANDS = list(relay_commands())


def test_the_documents_use_every_command() -> None:
    used = {" ".join(words[: 2 if words[0] == "dead" else 1]) for _, words in COMMANDS}
    assert used >= {"up", "receive", "work", "check", "normalize", "plan", "status", "trace", "simulator"}
    assert used >= {"dead list", "dead show", "dead replay"}


@pytest.mark.parametrize(("page", "arguments"), COMMANDS, ids=str)
def test_a_relay_line_is_accepted_by_the_command_line(page: str, arguments: list[str]) -> None:
    del page
    parse(arguments)


def test_an_unknown_option_would_be_noticed() -> None:
    with pytest.raises(Exception, match="No such option: --colour"):
        parse(["dead", "list", "--colour", "red"])


OFFLINE = sorted({line for page, line in shell_lines() if re.match(r"relay normalize .*\| relay plan", line)})


@pytest.mark.parametrize("line", OFFLINE)
def test_an_offline_example_runs_on_files_of_the_repository(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    first, second = (shlex.split(part)[1:] for part in line.split("|"))
    events = CliRunner().invoke(app, first)
    assert events.exit_code == 0, events.output
    writes = CliRunner().invoke(app, second, input=events.stdout)
    assert writes.exit_code == 0, writes.output
    shown = list(fenced(text_of("README.md"), "json"))
    assert [json.loads(each) for each in writes.stdout.splitlines()] == [json.loads(each) for each in shown]


def test_make_targets_in_documents_exist() -> None:
    targets = set(re.findall(r"^(\w+):", text_of("Makefile"), re.MULTILINE))
    used = {
        words[1] for _, line in shell_lines() if (words := shlex.split(line, comments=True))[0] == "make" and words[1:]
    }
    assert used >= {"demo", "test", "check"}
    assert used <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_inside_the_repository_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in slugs(file.read_text(encoding="utf-8")), f"{page.name}: {target}"


def slugs(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_named_in_a_document_exist(page: Path) -> None:
    named = re.findall(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|toml|md|yaml|json))`", page.read_text(encoding="utf-8"))
    made_up = re.compile(r"reserve\.held|relay\.toml|<")
    missing = [name for name in named if not made_up.search(name) and not (ROOT / name).exists()]
    assert missing == []


def test_the_readme_is_short() -> None:
    assert len(text_of("README.md").splitlines()) <= 150


def test_markdown_has_one_sentence_a_line() -> None:
    two = re.compile(r"[\w)`\"][.?!] [A-Z`]\w")
    for page in PAGES:
        prose = re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        found = [line for line in prose.splitlines() if two.search(line.lstrip(" 0123456789.")) and line[:1] != "|"]
        assert found == [], page.name


def test_the_settings_page_is_the_model() -> None:
    page = {
        code(name): (default, meaning) for name, default, _, meaning in table(text_of("docs/settings.md"), "setting")
    }
    model = dict(settings_of(Settings))
    assert list(page) == list(model)
    assert {name: default for name, (default, _) in page.items()} == model
    assert all(meaning for _, meaning in page.values())


def settings_of(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        default = field.default
        if isinstance(default, WebhookSettings):
            yield from ((f"{prefix}{name}.{each}", value) for each, value in short_table(default.source))
        elif isinstance(default, BaseModel):
            yield from settings_of(type(default), f"{prefix}{name}.")
        else:
            yield prefix + name, shown(default)


def short_table(source: str) -> Iterator[tuple[str, str]]:
    """Of a webhook's settings those without which a short table would not be needed, and those of its source alone."""
    named = {"secrets", "secrets_file", *webhook_of(source).takes}
    named |= {"tolerance_seconds"} if signature_of(source).timestamp else set()
    for name, default in settings_of(WebhookSettings):
        if name in named:
            yield name, default


def test_the_webhooks_page_is_the_model() -> None:
    text = text_of("docs/webhooks.md")
    said = {code(name): default for name, default, _, meaning in table(text, "key") if meaning}
    model = dict(settings_of(WebhookSettings))
    words = {"source": "required", "company": "the setting `company`", "currency": "the books'", "facts_of": "the name"}
    assert said == model | words | {"signature": "the source's own"}
    assert list(said) == list(model)
    parts = {code(name): default for name, default, meaning in table(text, "part") if meaning}
    assert parts == dict(settings_of(Signature)) | {"header": "required"}
    assert list(parts) == list(Signature.model_fields)


def shown(default: object) -> str:
    """A default as it would stand in a TOML file; none where there is nothing to write."""
    if default is None or default is PydanticUndefined:
        return "none"
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    if isinstance(default, tuple):
        return f"`{json.dumps([each if isinstance(each, int | float) else str(each) for each in default])}`"
    if isinstance(default, bool):
        return f"`{json.dumps(default)}`"
    if isinstance(default, int | float):
        return f"`{default:g}`" if not isinstance(default, int) else f"`{default}`"
    return f"`{json.dumps(str(default) if isinstance(default, Path) else default)}`"


def test_the_dialect_page_has_every_setting_and_default() -> None:
    page = {code(row[0]): row[1] for row in table(text_of("docs/dialect.md"), "setting")}
    model = dict(dialect_of(Dialect))
    assert page.keys() == model.keys()
    for name, default in model.items():
        if isinstance(default, frozenset):
            assert set(re.findall(r"`([^`]*)`", page[name])) == default
        elif default is PydanticUndefined:
            assert page[name] == "none, required"
        else:
            assert page[name] == shown_of_dialect(default), name


def test_the_metrics_page_has_every_metric_with_its_labels() -> None:
    rows = table(text_of("docs/metrics.md"), "metric")
    page = {code(name): re.findall(r"`(\w+)`", labels) for name, labels, _ in rows}
    measured = [attribute for each in (WorkerMetrics(), Measures()) for attribute in vars(each).values()]
    metrics = [each for each in measured if isinstance(each, MetricWrapperBase)]
    names = {f"{m._name}_total" if isinstance(m, Counter) else m._name: list(m._labelnames) for m in metrics}
    assert page == names


def test_alerts_name_metrics_and_causes_that_there_are() -> None:
    page = text_of("docs/metrics.md")
    known = {code(row[0]) for row in table(page, "metric")}
    [alerts] = fenced(page, "yaml")
    assert set(re.findall(r"\brelay_\w+", alerts)) <= known
    assert set(re.findall(r'cause="(\w+)"', page)) <= set(CAUSES)
    assert re.search(r'relay_brake\{cause="unauthorised"\}\) == 1\n *for: 10m', alerts)


def dialect_of(
    model: type[BaseModel], prefix: str = "", instance: BaseModel | None = None
) -> Iterator[tuple[str, object]]:
    for name, field in model.model_fields.items():
        default = getattr(instance, name) if instance is not None else field.default
        if isinstance(default, BaseModel):
            yield from dialect_of(type(default), f"{prefix}{name}.", default)
        else:
            yield prefix + name, default


def shown_of_dialect(default: object) -> str:
    return "none" if default is None else f"`{json.dumps(list(default) if isinstance(default, tuple) else default)}`"


def test_the_architecture_names_every_queue_and_no_other() -> None:
    named = {code(row[0]) for row in table(text_of("docs/architecture.md"), "name")}
    declared = {
        topology.EVENTS_EXCHANGE,
        topology.HOME_EXCHANGE,
        *topology.company_queues("<c>"),
        *(topology.retry_queue(delay) for delay in RabbitSettings().retry_delays_seconds),
        *topology.dead_letter_queues(),
        topology.mint_queue("<c>"),
        topology.mint_state_queue("<c>"),
        topology.mark_queue("<c>"),
    }
    assert named == declared


class Recorder:
    """Stands in for a channel: writes down what is declared."""

    def __init__(self) -> None:
        self.arguments: dict[str, set[str]] = {}

    async def declare_exchange(
        self, name: str, kind: str, *, durable: bool, arguments: Mapping[str, object] | None = None
    ) -> object:
        assert durable, (name, kind)
        assert bool(arguments) is (name == topology.HOME_EXCHANGE)
        return name

    async def get_queue(self, name: str, *, ensure: bool) -> "Recorder":
        """Give what was declared before."""
        assert (name in self.arguments) is not ensure
        return self

    async def declare_queue(
        self, name: str, *, durable: bool, arguments: Mapping[str, object] | None = None
    ) -> "Recorder":
        assert durable, name
        self.arguments[name] = {key for key in arguments or {} if key != "x-queue-type"}
        return self

    async def bind(self, exchange: object, key: str) -> None:
        """Bindings are of no matter here."""


async def test_the_architecture_gives_every_queue_its_arguments() -> None:
    channel = Recorder()
    delays = RabbitSettings().retry_delays_seconds
    await topology.declare_events(channel, ["<c>"], delays)  # type: ignore[arg-type]  # a stand-in with what is used
    await topology.declare_bucket(channel, "<c>")  # type: ignore[arg-type]  # a stand-in with what is used
    documented: dict[str, set[str]] = {}
    last: set[str] = set()
    for name, kind, arguments, _ in table(text_of("docs/architecture.md"), "name"):
        last = last if arguments == "the same" else set(re.findall(r"`(x-[a-z-]+)`", arguments))
        if "topic exchange" not in kind:
            documented[code(name)] = last
    assert documented == channel.arguments


def test_the_architecture_has_the_arithmetic_of_the_bucket() -> None:
    bucket, text = BucketSettings(), text_of("docs/architecture.md")
    assert f"{bucket.rate:.4f} tokens a second" in text
    assert f"{bucket.rate * 60:.1f} calls a minute, {bucket.rate * 6000 / bucket.allowance:.2f} %" in text


def test_the_architecture_names_every_header() -> None:
    ours = {value for value in vars(headers).values() if isinstance(value, str) and value.startswith("relay-")}
    assert set(re.findall(r"`(relay-[a-z-]+)`", text_of("docs/architecture.md"))) == ours


def test_the_lifecycle_has_every_failure_that_is_classified() -> None:
    source = Path(classify.__file__).read_text(encoding="utf-8")
    classified = set(re.findall(r"case (\w+)\(", source))
    named = {re.sub(r"`(\w+)`.*", r"\1", row[0]) for row in table(text_of("docs/lifecycle.md"), "exception")}
    assert named == classified | {"anything else"}


def test_the_postings_have_every_stripe_type_and_every_event() -> None:
    text = text_of("docs/postings.md")
    assert [name for name in (*KINDS, *EVENT_TYPES) if f"`{name}`" not in text] == []


async def test_the_simulator_page_has_every_switch_and_its_examples_work() -> None:
    simulation = Simulation()
    rows = list(table(text_of("docs/simulator.md"), "switch"))
    assert [code(row[0]) for row in rows] == list(ACTS)
    for name, _, example in rows:
        changes = json.loads(code(example))
        assert code(name) in changes
        await switch(simulation, changes)
    await simulation.set_open(is_open=True)
    simulation.close()


def test_the_simulator_page_has_every_dialect() -> None:
    rows = {code(row[0]): set(re.findall(r"`(\w+)`", row[1])) for row in table(text_of("docs/simulator.md"), "field")}
    assert rows == {name: set(values) for name, values in CHOICES.items()}


def test_the_glossary_is_sorted_and_explains_each_word_once() -> None:
    words = [row[0].lower() for row in table(text_of("docs/glossary.md"), "word")]
    assert words == sorted(set(words))


def test_the_page_of_stripes_events_names_exactly_those_to_subscribe_to() -> None:
    rows = table(text_of("docs/stripe-events.md"), "event")
    assert {code(row[0]): row[1] for row in rows} == ALL


def test_every_decision_is_in_the_list() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = set(re.findall(r"\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8")))
    assert listed == {path.name for path in folder.glob("[0-9]*.md")}
