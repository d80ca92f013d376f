"""Mutants of the feeds: what is read, when it counts as published, and how far a cursor may move."""

from typing import Final

from tests.mutants.mutant import Mutant

FOLDER: Final = "tests/unit/producers/feeds/test_folder.py"
CLAIMS: Final = "tests/unit/producers/feeds/test_claims.py"
FLOOD: Final = "tests/unit/producers/feeds/test_poll_floods.py"
POLLING: Final = "tests/unit/producers/feeds/test_polling.py"
SHOPIFY: Final = "tests/unit/producers/webhooks/test_shopify_webhook.py"

MUTANTS: Final = (
    Mutant(
        "refusals-without-number",
        "A polled address that answers nothing of use fills no queue of dead letters.",
        "producers/feeds/polling.py",
        "            if reading.refused > MOST_REFUSED:\n                continue\n",
        "",
        (f"{FLOOD}::test_of_many_refused_items_so_many_are_kept_once_and_the_cursor_stays",),
    ),
    Mutant(
        "refused-again-each-pass",
        "What a person has before them is not put there again by a pass that did not end well.",
        "producers/feeds/polling.py",
        "            if reading.kept:  # lest",
        "            if False:  # lest",
        (f"{FLOOD}::test_of_many_refused_items_so_many_are_kept_once_and_the_cursor_stays",),
    ),
    Mutant(
        "page-read-for-ever",
        "A page that takes too long is refused.",
        "producers/feeds/polling.py",
        "            if self.clock.monotonic() > ends:\n",
        "            if False:\n",
        (f"{FLOOD}::test_a_page_that_takes_too_long_is_refused",),
    ),
    Mutant(
        "stop-unheard-within-a-page",
        "A feed that is told to stop hears it among the items of a page.",
        "producers/feeds/polling.py",
        "                self._look(turn)\n                await self._keep(",
        "                await self._keep(",
        (f"{FLOOD}::test_told_to_stop_it_ends_within_a_page_and_what_was_kept_is_not_kept_again",),
    ),
    Mutant(
        "warm-file-read",
        "A file that somebody still writes is not read.",
        "producers/feeds/folder.py",
        "    if SeenFile.of(file.name, file.status()) != before:\n",
        "    if SeenFile.of(file.name, file.status()).name != before.name:\n",
        (f"{FOLDER}::test_a_file_that_is_written_while_it_is_read_goes_back",),
    ),
    Mutant(
        "written-while-published",
        "Rows that are added to a file while it is published are not moved on unread.",
        "producers/feeds/folder.py",
        "        _must_be(before, file)\n        report = Report(",
        "        report = Report(",
        (f"{FOLDER}::test_a_file_that_is_written_while_it_is_published_goes_back_and_loses_no_row",),
    ),
    Mutant(
        "published-before-its-end",
        "A file that turns out to be of no use at its end publishes nothing.",
        "producers/feeds/folder.py",
        "publishes = refusal is None and (",
        "publishes = (refusal is None or counts.events > 0) and (",
        (f"{FOLDER}::test_a_file_that_is_refused_at_its_end_publishes_nothing_and_is_kept_whole",),
    ),
    Mutant(
        "interrupted-file-dropped",
        "A file whose events were not all confirmed goes back.",
        "producers/feeds/folder.py",
        "        except BaseException:\n            await self._put_back(file, turn)\n            raise\n",
        "        except BaseException:\n            move_beside(file, self._claims.done)\n            raise\n",
        (f"{FOLDER}::test_without_patience_the_file_goes_back",),
    ),
    Mutant(
        "living-owner-robbed",
        "What a living process has in hand stays with it.",
        "producers/feeds/claims.py",
        "        except BlockingIOError:\n            return False\n",
        "        except BlockingIOError:\n            return True\n",
        (f"{CLAIMS}::test_the_file_of_a_dead_process_is_taken_over_at_once",),
    ),
    Mutant(
        "name-overwritten",
        "A file of yours is never replaced by another of its name.",
        "producers/feeds/moving.py",
        "        os.link(source.name, target.name, follow_symlinks=False, **folders)\n",
        "        os.replace(source.name, target.name, **folders)\n        return\n",
        (f"{CLAIMS}::test_a_move_replaces_nothing",),
    ),
    Mutant(
        "cursor-before-confirm",
        "A cursor moves only after the broker has confirmed.",
        "producers/feeds/polling.py",
        "        position = self._position_after(page, reading)\n",
        "        position = self._position_after(page, reading)\n"
        "        await self.cursors.move(self.context.company, self.name, Cursor(position))\n",
        (f"{POLLING}::test_without_a_confirm_the_cursor_stays_where_it_is",),
    ),
    Mutant(
        "cursor-into-the-future",
        "One item dated in the future does not hide what comes until then.",
        "producers/feeds/positions.py",
        "    times = [min(_time(settings, text), asked_at) for text in found]\n",
        "    times = [max(_time(settings, text), asked_at) for text in found]\n",
        (f"{POLLING}::test_one_item_dated_in_the_future_does_not_hide_what_comes_until_then",),
    ),
    Mutant(
        "etag-of-one-page",
        "An ETag of one of several pages says nothing of the others.",
        "producers/feeds/polling.py",
        "reading.position == reading.cursor.value and reading.pages == 1",
        "reading.position == reading.cursor.value",
        (f"{POLLING}::test_an_etag_of_one_of_two_pages_is_not_used",),
    ),
    Mutant(
        "token-to-strangers",
        "A token is sent to the server of the settings only.",
        "producers/feeds/polling.py",
        "        if following_page is not None and _origin(following_page) != _origin(self.settings.url):\n",
        "        if following_page is None:\n            return None\n        if not _origin(following_page):\n",
        (f"{POLLING}::test_a_next_page_on_another_server_does_not_get_the_token",),
    ),
    Mutant(
        "unknown-shop-booked",
        "A shop that is nobody's is never booked for the default company.",
        "producers/warehouse/shopify.py",
        "if named is not None and named not in self.companies:",
        "if named and named not in self.companies:",
        (f"{SHOPIFY}::test_an_unknown_shop_is_kept_for_a_person_and_is_nobodys",),
    ),
)
