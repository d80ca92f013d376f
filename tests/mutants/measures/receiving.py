"""Mutants of who gets in and what leaks: files of secrets, the receiver's bounds, the mode of a fact, exposure."""

from typing import Final

from tests.mutants.mutant import Mutant

COMPANIES: Final = "tests/unit/ops/composing/test_waiting_company.py"
BOUNDED: Final = "tests/unit/ops/http/test_bounded_http.py"
EXPOSURE: Final = "tests/unit/ops/checks/test_check_exposure.py"
GATE: Final = "tests/unit/ops/http/test_http_gate.py"
MODES: Final = "tests/unit/producers/stripe/test_stripe_modes.py"
RECEIVER: Final = "tests/unit/producers/webhooks/test_receiver.py"
SHOPIFY: Final = "tests/unit/producers/webhooks/test_shopify_webhook.py"
SECRET_FILES: Final = "tests/unit/runtime/test_secret_files.py"

MUTANTS: Final = (
    Mutant(
        "words-taken-for-secrets",
        "What stands beside a secret in its file is never taken for one.",
        "runtime/secret_files.py",
        "if not shape.pattern.fullmatch(secret):",
        "if not secret:",
        (f"{SECRET_FILES}::test_a_line_that_is_no_signing_secret_is_refused_by_its_number_and_never_shown",),
    ),
    Mutant(
        "comment-taken-for-a-secret",
        "A comment in a file of secrets is none.",
        "runtime/secret_files.py",
        """if not text or text.startswith("#"):""",
        "if not text:",
        (f"{SECRET_FILES}::test_each_line_is_one_secret_and_a_comment_is_none",),
    ),
    Mutant(
        "head-without-deadline",
        "Whoever connects and says nothing, or a little at a time, is cut off.",
        "ops/http/bounded.py",
        "self._deadline = self.loop.call_later(self.gate.bounds.receive_seconds, self.drop, reason)",
        "self._deadline = self.loop.call_later(86400, self.drop, reason)",
        (f"{BOUNDED}::test_whoever_is_waited_for_has_a_deadline_that_no_drip_moves",),
    ),
    Mutant(
        "head-kept-whatever-its-size",
        "A header that never ends is not kept.",
        "ops/http/bounded.py",
        "if self._unparsed > self.gate.bounds.head_bytes:",
        "if self._unparsed < 0:",
        (f"{BOUNDED}::test_a_head_that_is_too_large_is_not_waited_for",),
    ),
    Mutant(
        "pipeline-kept",
        "Requests that are sent in a row are not kept until their turn comes.",
        "ops/http/bounded.py",
        "if self._gone or self._at_work:",
        "if self._gone:",
        (f"{BOUNDED}::test_a_second_request_is_not_begun_before_the_first_is_answered",),
    ),
    Mutant(
        "newcomer-turned-away",
        "Idle connections keep nobody out: room is made by the one that was waited for longest.",
        "ops/http/gate.py",
        "oldest = next((each for each in self._waited_for if fits(each)), None)",
        "oldest = next((each for each in reversed(self._waited_for) if fits(each)), None)",
        (f"{GATE}::test_where_there_is_no_more_room_the_one_goes_that_was_waited_for_longest",),
    ),
    Mutant(
        "served-cut-off",
        "Whoever has sent a whole request is answered, however many others come.",
        "ops/http/bounded.py",
        """            self._set_deadline(None)
            self.gate.work_on(self)
        else:""",
        """            self._set_deadline(None)
        else:""",
        (f"{BOUNDED}::test_a_request_that_is_whole_makes_no_room",),
    ),
    Mutant(
        "bodies-without-bound",
        "The bodies in memory have a bound, all together.",
        "ops/http/gate.py",
        "while self.body_bytes > self.bounds.body_bytes and",
        "while self.body_bytes < 0 and",
        (f"{GATE}::test_of_bodies_that_are_too_many_the_one_goes_that_has_been_coming_longest",),
    ),
    Mutant(
        "one-client-takes-all",
        "One client does not take the room of others.",
        "ops/http/gate.py",
        "self._of_client[client] > self.bounds.connections_per_client",
        "self._of_client[client] < 0",
        (f"{GATE}::test_one_client_does_not_take_the_room_of_others",),
    ),
    Mutant(
        "proxy-is-one-client",
        "Behind a proxy everybody has one address, and is not taken for one client.",
        "ops/http/gate.py",
        "if any(found in network for network in self.bounds.proxies):",
        "if False:",
        (f"{GATE}::test_those_behind_a_proxy_are_not_one_client",),
    ),
    Mutant(
        "redirect-to-callers-host",
        "Nobody is redirected to the host that a caller named.",
        "producers/webhooks/receiver.py",
        "app.router.redirect_slashes = False",
        "app.router.redirect_slashes = True",
        (f"{RECEIVER}::test_nothing_else_is_served_and_nobody_is_led_to_the_host_that_the_caller_named",),
    ),
    Mutant(
        "test-event-posted",
        "A test of Stripe posts nothing in the books of real money.",
        "producers/stripe/stripe.py",
        """if mode == "test" or document.get("livemode") is not False:""",
        """if mode == "live" or document.get("livemode") is not False:""",
        (f"{RECEIVER}::test_tests_and_real_money_never_meet_in_the_same_books",),
    ),
    Mutant(
        "test-shown-offline",
        "Offline, where no books are known, a test of somebody's account posts nothing.",
        "producers/stripe/stripe.py",
        """return mode == "live" or not _is_example(document)""",
        "return mode == 'live'",
        (f"{MODES}::test_offline_a_test_posts_nothing_unless_it_is_asked_for",),
    ),
    Mutant(
        "example-posted",
        "An example of Stripe posts nothing in the books of real money.",
        "producers/stripe/stripe.py",
        """return mode == "live" or not _is_example(document)""",
        """return not _is_example(document)""",
        (f"{MODES}::test_offline_an_example_and_what_does_not_say_its_mode_are_shown",),
    ),
    Mutant(
        "real-money-in-trial-books",
        "Real money that comes to trial books is kept for a person.",
        "producers/stripe/stripe.py",
        """if is_live and mode == "test":""",
        """if is_live and mode is None:""",
        (f"{RECEIVER}::test_tests_and_real_money_never_meet_in_the_same_books",),
    ),
    Mutant(
        "files-for-everybody",
        "What a process of the relay makes, nobody else reads.",
        "ops/commands/relay.py",
        "PRIVATE_UMASK = 0o077",
        "PRIVATE_UMASK = 0o022",
        (f"{EXPOSURE}::test_what_a_command_makes_is_its_own",),
    ),
    Mutant(
        "store-readable",
        "No other user reads the store's file, whoever made it.",
        "store/databases/sqlite.py",
        "each.chmod(0o600)",
        "each.chmod(0o644)",
        ("tests/unit/store/databases/test_sqlite.py::test_nobody_else_reads_the_files_of_a_store",),
    ),
    Mutant(
        "readable-secret-passed-over",
        "A secret that others can read is told.",
        "ops/checks/exposure.py",
        "if status.st_mode & 0o177:",
        "if status.st_mode & 0o002:",
        (f"{EXPOSURE}::test_a_secret_that_others_can_read_or_replace_is_wrong",),
    ),
    Mutant(
        "folder-of-others-passed-over",
        "A folder in which others can replace a key or the settings is told, however far above.",
        "ops/checks/exposure.py",
        "dict.fromkeys((*parents_of_others(path), *parents_of_others(path.resolve())))",
        "[each for each in parents_of_others(path) if each.startswith(f'{path.parent} ')]",
        (f"{EXPOSURE}::test_what_is_in_a_folder_of_others_can_be_replaced",),
    ),
    Mutant(
        "changeable-trust-passed-over",
        "A file that says whom a feed trusts, and that others may change, is told.",
        "ops/checks/exposure.py",
        "    for path, setting in public.items():\n",
        "    for path, setting in [(config[1], config[0])]:\n",
        (f"{EXPOSURE}::test_what_a_feed_believes_is_changed_by_nobody_else",),
    ),
    Mutant(
        "plain-text-passed-over",
        "Plain text to another host is told.",
        "ops/checks/exposure.py",
        "if parts.scheme in _PLAIN and not is_loopback(host) and host not in settings.plain_hosts:",
        "if parts.scheme not in _PLAIN and not is_loopback(host) and host not in settings.plain_hosts:",
        (f"{EXPOSURE}::test_plain_text_to_another_host_is_wrong",),
    ),
    Mutant(
        "shop-by-unsigned-header",
        "Whose a signed level is, is told by what is signed.",
        "producers/warehouse/shopify.py",
        "if named is not None and shops - {named}:",
        "if named is None and shops - {named}:",
        (f"{SHOPIFY}::test_a_signed_level_is_its_own_shops_whatever_the_header_says",),
    ),
    Mutant(
        "outside-text-as-label",
        "No text from outside becomes a series of the figures, or they would grow without end.",
        "producers/webhooks/measures.py",
        """    word = str(reason).partition(":")[0]
    return word if _WORD.fullmatch(word) else "other"
""",
        "    return str(reason)\n",
        ("tests/unit/producers/webhooks/test_shopify_webhook.py::test_a_header_that_nobody_signed_makes_no_series",),
    ),
    Mutant(
        "old-level-as-new",
        "A level that was signed long ago waits for a person.",
        "producers/warehouse/shopify.py",
        "if any(arrived.at - time > self.oldest for _, time in _levels_in(arrived.body)):",
        "if any(arrived.at - time > 99 * self.oldest for _, time in _levels_in(arrived.body)):",
        (f"{SHOPIFY}::test_a_level_that_was_signed_long_ago_waits_for_a_person",),
    ),
    Mutant(
        "figures-beside-the-webhooks",
        "The figures have an address of their own: who reaches the receiver does not read them.",
        "producers/webhooks/receiver.py",
        """Route("/healthz", healthz, methods=["GET"])]""",
        """Route("/healthz", healthz, methods=["GET"]), Route("/metrics", healthz, methods=["GET"])]""",
        (f"{RECEIVER}::test_nothing_else_is_served_and_nobody_is_led_to_the_host_that_the_caller_named",),
    ),
    Mutant(
        "few-files-not-told",
        "Where the process may open too few files for its connections, the log warns at start.",
        "ops/http/serving.py",
        "if room < receiver.max_connections:",
        "if room < 0:",
        (f"{GATE}::test_near_the_limit_of_open_files_fewer_are_let_in",),
    ),
    Mutant(
        "few-files-not-minded",
        "No more connections are let in than the process has files for.",
        "ops/http/serving.py",
        "connections=min(receiver.max_connections, room),",
        "connections=receiver.max_connections,",
        (f"{GATE}::test_near_the_limit_of_open_files_fewer_are_let_in",),
    ),
    Mutant(
        "signing-secret-shown",
        "`relay check` tells a signing secret by its fingerprint, and never shows it.",
        "ops/checks/webhooks.py",
        "', '.join(fingerprint(secret) for secret in secrets)",
        "', '.join(secret.get_secret_value() for secret in secrets)",
        ("tests/unit/ops/checks/test_check_webhooks.py::test_each_secret_is_told_by_its_fingerprint",),
    ),
    Mutant(
        "api-key-shown",
        "`relay check` tells an API key by its fingerprint, and never shows it.",
        "ops/checks/check.py",
        "fingerprint {fingerprint(key)}",
        "fingerprint {key}",
        (f"{COMPANIES}::test_check_looks_at_every_company_or_at_the_one_that_is_named",),
    ),
)
