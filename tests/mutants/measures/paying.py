"""Mutants of pay runs: what is posted for one, what is taken back of it, and who is served first."""

from typing import Final

from tests.mutants.mutant import Mutant

POLICY: Final = "tests/unit/workers/books/test_payroll_policy.py"
DELIVERY: Final = "tests/unit/workers/payroll/test_payroll_delivery.py"
MIRRORING: Final = "tests/unit/workers/payroll/test_mirroring.py"
BUCKET: Final = "tests/unit/messaging/test_bucket.py"
MIGRATE: Final = "tests/contract/store/test_migrate.py"
PULLING: Final = "tests/unit/producers/payroll/test_pulling.py"
RUNS: Final = "tests/contract/store/test_payroll_runs.py"
WORD: Final = "tests/unit/ops/desk/test_cancelling.py"
EXPORTS: Final = "tests/unit/producers/payroll/exports/test_csv_runs.py"
LAYOUTS: Final = "tests/unit/producers/payroll/exports/test_csv_layouts.py"
EARLIER: Final = "tests/unit/workers/test_earlier.py"
RETELLING: Final = "tests/unit/ops/composing/test_retelling.py"

MUTANTS: Final = (
    Mutant(
        "unknown-category-posted",
        "A category that nobody has mapped keeps the whole run from the books.",
        "workers/plans/payroll_lines.py",
        "    _check_mapped(lines, provider, books)\n",
        "",
        (f"{POLICY}::test_an_unknown_category_parks_the_whole_run_with_its_total_and_where_to_map_it",),
    ),
    Mutant(
        "rounding-without-limit",
        "A difference between the sides of a run is posted only as far as the books allow.",
        "workers/plans/payroll_lines.py",
        "    if abs(difference).amount > limit:\n",
        "    if False:\n",
        (f"{POLICY}::test_a_difference_is_posted_within_the_limit_only",),
    ),
    Mutant(
        "reversal-by-todays-mapping",
        "What a changed run takes back is what was posted, though the mapping has changed since.",
        "workers/applying.py",
        "    return days | paid | remembered_of(write)\n",
        "    return days | paid\n",
        (f"{DELIVERY}::test_a_mapping_that_changes_between_versions_leaves_nothing_on_the_old_account",),
    ),
    Mutant(
        "reversal-of-nothing",
        "What was never posted is not taken back.",
        "workers/payroll/mirroring.py",
        "    if row is None or never_sent(row):\n        return None\n",
        "    if row is None or never_sent(row):\n        return write\n",
        (f"{MIRRORING}::test_where_a_person_waives_the_first_version_nothing_is_taken_back_that_was_never_posted",),
    ),
    Mutant(
        "deadline-waits-in-line",
        "A pay run with a deadline goes before the stock that came first.",
        "messaging/bucket.py",
        "        insort(line, taker)\n",
        "        line.append(taker)\n",
        (f"{BUCKET}::test_a_run_with_a_deadline_goes_before_the_stock_that_came_first",),
    ),
    Mutant(
        "version-marked-first",
        "A version of a run is told until the broker has confirmed it.",
        "messaging/outbox.py",
        "            await publisher.publish_all([encoded_as(_event(each), each.body)])\n",
        "            await outbox.published(each.id)\n"
        "            await publisher.publish_all([encoded_as(_event(each), each.body)])\n",
        (f"{PULLING}::test_a_version_that_was_stored_and_not_published_goes_first_with_the_same_bytes",),
    ),
    Mutant(
        "merge-dropped-with-its-table",
        "An upgrade waits for what an older process is storing, and moves it too.",
        "store/migrations/versions/0011_outbox.py",
        '    op.rename_table("stock_batches", BATCHES_BEFORE)\n'
        "    op.execute(\n"
        '        "INSERT INTO outbox (company, stream, key, body, added_at, published_at) "\n'
        "        \"SELECT company, 'stock', fact, body, made_at, published_at "
        'FROM stock_batches_before ORDER BY made_at"\n'
        "    )\n",
        "    op.execute(\n"
        '        "INSERT INTO outbox (company, stream, key, body, added_at, published_at) "\n'
        "        \"SELECT company, 'stock', fact, body, made_at, published_at "
        'FROM stock_batches ORDER BY made_at"\n'
        "    )\n"
        '    op.rename_table("stock_batches", BATCHES_BEFORE)\n',
        (f"{MIGRATE}::test_a_merge_of_an_older_process_that_is_under_way_is_waited_for_and_moved",),
    ),
    Mutant(
        "cancelled-run-told-again",
        "A run that a person said was cancelled is not told again while the provider says the same of it.",
        "producers/payroll/versions.py",
        "        if before is not None and same_amounts(run, before):\n",
        "        if before is not None and same_amounts(run, before) and latest is None:\n",
        (f"{WORD}::test_the_word_holds_until_the_provider_says_something_else",),
    ),
    Mutant(
        "first-reading-believed",
        "A list that changes while it is read is used once two readings of it agree.",
        "producers/calling/settled.py",
        "        if reading.pages == 1 or (before is not None and before.content == reading.content):\n",
        "        if reading.pages > 0:\n",
        (f"{PULLING}::test_a_list_that_changes_while_it_is_read_is_read_again_until_it_stands",),
    ),
    Mutant(
        "second-company-in-the-first",
        "A company that is not mapped never falls into the books of another.",
        "producers/payroll/tally.py",
        "    if entity not in context.accounts:\n",
        "    if entity not in context.accounts:\n        return context.company\n",
        (f"{EXPORTS}::test_a_second_company_does_not_fall_into_the_books_of_the_first",),
    ),
    Mutant(
        "total-taken-for-a-person",
        "A row of totals without a word for it is never counted as a person.",
        "producers/payroll/exports/runs.py",
        '    if part is None or export.cells.mapping.unlabelled_totals == "people":\n',
        "    if part is None or part.rows:\n",
        (f"{LAYOUTS}::test_a_total_without_a_word_for_it_is_refused_with_its_figures_and_never_counted",),
    ),
    Mutant(
        "another-version-adopted",
        "A pay run of an earlier store is taken for posted only where Solid shows its amount.",
        "workers/finding.py",
        "            await self._must_say_the_same(write, record, days=days, day=day)\n",
        "            pass\n",
        (f"{EARLIER}::test_a_pay_run_that_an_earlier_inbox_posted_with_another_amount_comes_before_a_person",),
    ),
    Mutant(
        "lost-run-unchanged",
        "A pay run that was told and never came is told again by a later pull.",
        "producers/payroll/telling.py",
        "        await self._runs.tell_again(key.company, key, older_than=LOST_AFTER)\n",
        "",
        (f"{PULLING}::test_a_run_that_is_in_no_books_a_day_after_it_was_told_is_told_again",),
    ),
    Mutant(
        "lost-version-left-out",
        "Of a pay run that the broker has lost, every version that no later one has overtaken is told again.",
        "store/payroll_runs.py",
        "            lost = [each for each in lost if each.key != row.key]\n",
        "            lost.clear()\n",
        (f"{RUNS}::test_versions_that_are_in_no_books_and_before_no_person_are_told_again_in_their_order",),
    ),
    Mutant(
        "earlier-version-posted-late",
        "A version that was parked is not posted once a later one of its run stands.",
        "workers/payroll/run_versions.py",
        "        if version > data.version:\n",
        "        if False:\n",
        (f"{DELIVERY}::test_a_version_that_was_parked_is_not_posted_once_a_later_one_stands",),
    ),
    Mutant(
        "lost-taken-for-lost-again",
        "What the broker lost is handed over to the outboxes once, and is not published anew every two seconds.",
        "ops/composing/retelling.py",
        "        for what in self._lost.pop(company):\n",
        "        for what in tuple(self._lost[company]):\n",
        (f"{RETELLING}::test_what_no_queue_takes_of_one_company_makes_no_flood_of_another_and_holds_up_none",),
    ),
    Mutant(
        "retelling-ends-for-good",
        "Whatever fails while the lost is told again, it is logged and tried again.",
        "ops/composing/retelling.py",
        "        except Exception:\n",
        "        except ZeroDivisionError:\n",
        (f"{RETELLING}::test_whatever_a_store_says_the_rest_is_told_once_and_that_is_asked_again",),
    ),
    Mutant(
        "unreadable-run-ends-the-telling",
        "A run that another version of the relay stored keeps no other of its company from being told.",
        "store/payroll_runs.py",
        "    except InvalidEvent:\n",
        "    except ZeroDivisionError:\n",
        (f"{RETELLING}::test_a_run_that_another_version_stored_ends_nothing_and_keeps_no_other_from_being_told",),
    ),
    Mutant(
        "unreadable-run-stops-the-pull",
        "A pending run that cannot be told holds up none of the others, of no account.",
        "producers/payroll/pulling.py",
        "            except Unreadable as error:\n                unread.append(error)\n",
        "            except ZeroDivisionError:\n                raise\n",
        (f"{PULLING}::test_a_run_of_another_account_or_one_that_cannot_be_read_holds_up_no_pull",),
    ),
    Mutant(
        "pull-tells-everybodys",
        "A pull tells what is pending of its own account, and fails for no other's.",
        "producers/payroll/telling.py",
        "        mine = [each for each in waiting if provider in (None, provider_of(each.key))]\n",
        "        mine = waiting\n",
        (f"{PULLING}::test_a_run_of_another_account_or_one_that_cannot_be_read_holds_up_no_pull",),
    ),
)
