"""Mutants of which store it is: its mark in the store, with the broker and in each process."""

from typing import Final

from tests.mutants.mutant import Mutant

STORE_MARKS: Final = "tests/contract/store/test_marks.py"
BUCKET: Final = "tests/unit/messaging/test_bucket.py"
TLS: Final = "tests/contract/store/test_tls.py"
BROKER_TLS: Final = "tests/integration/test_tls.py"
SETTINGS: Final = "tests/unit/runtime/test_settings.py"
EXPOSURE: Final = "tests/unit/ops/checks/test_check_exposure.py"
MARKS: Final = "tests/integration/test_marks.py"
REFEREE: Final = "tests/unit/messaging/test_marks.py"
SNAPSHOT: Final = "test_a_machine_put_back_to_a_snapshot_with_its_memory_is_noticed"

MUTANTS: Final = (
    Mutant(
        "certificate-not-verified",
        "Where a private authority is named, PostgreSQL proves who it is.",
        "store/databases/postgresql.py",
        '        said = {"sslmode": "verify-full", **said, "sslrootcert": str(ca_file)}\n',
        '        said = {"sslmode": "prefer", **said, "sslrootcert": str(ca_file)}\n',
        (f"{TLS}::test_a_server_of_another_authority_is_refused",),
    ),
    Mutant(
        "name-not-verified",
        "A certificate of the right authority for another server is refused.",
        "store/databases/postgresql.py",
        '        said = {"sslmode": "verify-full", **said, "sslrootcert": str(ca_file)}\n',
        '        said = {"sslmode": "verify-ca", **said, "sslrootcert": str(ca_file)}\n',
        (f"{TLS}::test_a_server_of_another_name_is_refused",),
    ),
    Mutant(
        "cause-followed-for-ever",
        "A failure whose causes go in a circle holds no process up.",
        "runtime/tls.py",
        "    while error is not None and error not in seen:",
        "    while error is not None:",
        ("tests/unit/runtime/test_tls.py::test_a_failure_that_is_its_own_cause_comes_to_an_end",),
    ),
    Mutant(
        "authority-of-the-broker-ignored",
        "RabbitMQ is believed by the authority that was named.",
        "messaging/connection.py",
        "                    ssl_context=trust,\n",
        "                    ssl_context=None,\n",
        (f"{BROKER_TLS}::test_a_broker_of_a_private_authority_is_spoken_to_and_no_other",),
        needs_broker=True,
    ),
    Mutant(
        "anybodys-certificate",
        "Whoever is spoken to over TLS proves who it is.",
        "runtime/tls.py",
        "        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))\n",
        "        return ssl._create_unverified_context(cafile=None if ca_file is None else str(ca_file))\n",
        (f"{BROKER_TLS}::test_solid_of_a_private_authority_is_spoken_to_and_no_other",),
        needs_broker=True,
    ),
    Mutant(
        "databases-password-in-the-settings",
        "The database's password is not taken from relay.toml, which is no file of secrets.",
        "runtime/no_secrets.py",
        "    if isinstance(url, str) and holds_password(url):\n",
        "    if False:\n",
        (f"{SETTINGS}::test_a_databases_password_in_the_file_is_refused_and_not_shown",),
    ),
    Mutant(
        "database-unproved-passed-over",
        "A database elsewhere that need not prove who it is is told.",
        "ops/checks/exposure.py",
        'if url.get_backend_name() == "postgresql" and mode != "verify-full" else ():\n',
        'if url.get_backend_name() == "postgresql" and mode == "disable" else ():\n',
        (f"{EXPOSURE}::test_a_server_elsewhere_that_need_not_prove_who_it_is_is_wrong",),
    ),
    Mutant(
        "databases-old-password-kept",
        "A new password of the database in its file is used at the next connect.",
        "store/databases/postgresql.py",
        '{"password": access.password}',
        '{"password": access.password()}',
        (f"{TLS}::test_a_new_password_in_its_file_is_used_at_the_next_connect",),
    ),
    Mutant(
        "store-gone-back-claimed-in",
        "A process whose store goes back in time under it claims nothing in it.",
        "store/marks.py",
        "        if seen is not None and (last is None or not await _holds(connection, company, seen, last=last)):",
        "        if False:",
        (f"{STORE_MARKS}::test_a_process_whose_store_goes_back_under_it_gets_no_claim",),
    ),
    Mutant(
        "marks-compared-by-number",
        "A store that went back in time and rose again is not taken for the one before.",
        "store/marks.py",
        "    return (row.inbox, row.by) == (mark.inbox, mark.by)",
        "    return True",
        (f"{STORE_MARKS}::test_a_store_that_went_back_and_rose_again_by_others_is_noticed_all_the_same",),
    ),
    Mutant(
        "marks-without-a-word",
        "A store that went back in time together with its process is noticed.",
        "store/marks.py",
        'f"{self._owner} {_word()}"',
        "self._owner",
        (f"{STORE_MARKS}::{SNAPSHOT}",),
    ),
    Mutant(
        "own-marks-by-number",
        "A process takes no mark for one of its own because of its number.",
        "store/marks.py",
        "mark in self._held.get(company, ())",
        "any(mark.count <= held.count for held in self._held.get(company, ()))",
        (f"{STORE_MARKS}::{SNAPSHOT}",),
    ),
    Mutant(
        "words-of-the-kernel-alone",
        "A machine that was put back says other words, though its kernel draws the same numbers.",
        "store/marks.py",
        '{time.monotonic_ns():x}"',
        '"',
        (f"{STORE_MARKS}::test_the_kernel_of_a_snapshot_may_draw_the_same_numbers_again",),
    ),
    Mutant(
        "hand-known-by-its-name",
        "The mint asks a process that was put back, though it is the one that was here before.",
        "messaging/marks.py",
        "    return (kept.by, kept.inbox) == (mark.by, mark.inbox) and mark.count >= kept.count",
        "    return (kept.by.split()[0], kept.inbox) == (mark.by.split()[0], mark.inbox) and mark.count >= kept.count",
        (f"{REFEREE}::test_a_process_that_was_put_back_with_its_store_is_asked_however_far_it_has_risen",),
    ),
    Mutant(
        "restored-inbox-the-same",
        "Once a person has said which store is right, every other one is the wrong one.",
        "store/marks.py",
        "    return await _begin(connection, company, 0 if last is None else last.count + 1, by=by)",
        "    return last or await _begin(connection, company, 0, by=by)",
        (f"{STORE_MARKS}::test_after_a_person_has_said_so_the_store_is_another_inbox_and_goes_on",),
    ),
    Mutant(
        "any-store-admitted",
        "Of two hosts with a file each only one gets tokens.",
        "messaging/marks.py",
        "        if self._mark is None or self._mark in held or _same_hand(self._mark, mark):",
        "        if True:",
        (f"{MARKS}::test_of_two_hosts_with_a_file_each_only_the_first_gets_tokens",),
        needs_broker=True,
    ),
    Mutant(
        "mark-behind-the-calls",
        "The broker's mark is never behind what was posted.",
        "messaging/mint.py",
        "body=await self._referee.keep(channel))",
        'body=b"")',
        (f"{MARKS}::test_the_brokers_mark_is_never_behind_what_was_posted_and_outlives_the_mint",),
        needs_broker=True,
    ),
    Mutant(
        "claim-ahead-of-the-mark",
        "A call leaves only once the broker knows of its claim.",
        "messaging/bucket.py",
        "            if kept is None or taker.claimed <= kept.count:",
        "            if True:",
        (f"{BUCKET}::test_a_call_waits_for_a_token_that_says_that_the_broker_knows_of_its_claim",),
    ),
)
