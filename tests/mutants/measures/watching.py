"""Mutants of watched folders: what those who may write there can reach, and what a file system that hangs can stop."""

from typing import Final

from tests.mutants.mutant import Mutant

ATTACKED: Final = "tests/unit/producers/feeds/test_folder_attacked.py"
PLACES: Final = "tests/unit/producers/feeds/test_places.py"
HANGING: Final = "tests/unit/producers/feeds/test_hanging.py"
READING: Final = "tests/unit/producers/feeds/test_reading.py"
COMMANDS: Final = "tests/unit/ops/commands/test_feed_commands.py"

MUTANTS: Final = (
    Mutant(
        "folder-link-followed",
        "A folder that is a link is neither watched nor used.",
        "producers/feeds/places.py",
        "os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC\n",
        "os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC\n",
        (f"{PLACES}::test_a_link_to_a_folder_is_no_inner_folder",),
    ),
    Mutant(
        "file-link-followed",
        "A file is not opened through a link.",
        "producers/feeds/places.py",
        "os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC\n",
        "os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC\n",
        (f"{PLACES}::test_a_file_is_not_opened_through_a_link",),
    ),
    Mutant(
        "pipe-waited-for",
        "Opening a pipe does not wait for its other end.",
        "producers/feeds/places.py",
        "os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC\n",
        "os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC\n",
        (f"{PLACES}::test_opening_a_pipe_does_not_wait_for_its_other_end",),
    ),
    Mutant(
        "report-through-link",
        "What the relay makes is made anew, never where a link leads.",
        "producers/feeds/places.py",
        "os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC\n",
        "os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC\n",
        (f"{PLACES}::test_nothing_is_made_where_a_link_leads",),
    ),
    Mutant(
        "hard-link-read",
        "A file with a second name elsewhere is not published.",
        "producers/feeds/places.py",
        "    if status.st_nlink > 1:\n",
        "    if status.st_nlink > 2:\n",
        (f"{ATTACKED}::test_a_link_to_somebody_elses_file_is_not_read",),
    ),
    Mutant(
        "another-file-claimed",
        "What is claimed is the very file that was listed.",
        "producers/feeds/claims.py",
        "        if SeenFile.of(seen.name, status) != seen or oddity(status) is not None:\n",
        "        if oddity(status) is not None:\n",
        (f"{PLACES}::test_what_is_not_the_file_that_was_listed_goes_back",),
    ),
    Mutant(
        "strangers-state-used",
        "A folder of the state that belongs to another user is refused.",
        "producers/feeds/places.py",
        "    if status.st_uid != os.geteuid():\n",
        "    if status.st_uid < 0:\n",
        (f"{ATTACKED}::test_a_folder_of_the_state_that_may_be_somebody_elses_is_refused",),
    ),
    Mutant(
        "open-state-used",
        "A folder of the state into which others may write is refused.",
        "producers/feeds/places.py",
        '    if status.st_mode & _OTHERS:\n        raise PermissionError(errno.EPERM, "others may write',
        '    if status.st_mode & 0:\n        raise PermissionError(errno.EPERM, "others may write',
        (f"{ATTACKED}::test_a_folder_of_the_state_that_may_be_somebody_elses_is_refused",),
    ),
    Mutant(
        "strange-link-on-the-way",
        "A link on the way to a folder is followed only where nobody else could have put it.",
        "producers/feeds/places.py",
        "    if status.st_uid not in (0, os.geteuid()) or status.st_mode & _OTHERS:\n",
        "    if status.st_uid < 0:\n",
        (f"{ATTACKED}::test_a_link_on_the_way_to_the_folder_is_followed_only_where_nobody_else_could_put_it",),
    ),
    Mutant(
        "state-in-the-folder",
        "What the relay makes of files stands outside of the folder into which others write.",
        "ops/composing/feeds.py",
        '    return (store.parent if store else Path("var")) / "feeds" / name\n',
        "    return feed.folder if store else feed.folder\n",
        (f"{COMMANDS}::test_the_state_of_a_folder_stands_beside_the_store",),
    ),
    Mutant(
        "copy-of-a-warm-file",
        "A file that is written to while it is copied from another file system stays there.",
        "producers/feeds/moving.py",
        "    if not same(before, os.fstat(file.fileno())) or not same(before, source.status()):\n",
        "    if not same(before, before):\n",
        (f"{PLACES}::test_a_file_that_is_written_to_while_it_is_copied_stays",),
    ),
    Mutant(
        "original-removed-first",
        "The original leaves another file system only when its copy stands.",
        "producers/feeds/moving.py",
        "            rename(part, target)\n",
        "            source.place.remove(source.name)\n            rename(part, target)\n",
        (f"{PLACES}::test_a_crash_before_the_original_is_removed_leaves_both",),
    ),
    Mutant(
        "hang-waited-out",
        "A feed that hangs ends when the process is to stop.",
        "producers/feeds/aside.py",
        "                self._given_up = future\n                raise Interrupted(",
        "                await future\n                raise Interrupted(",
        (f"{HANGING}::test_a_hanging_folder_is_told_and_ends_when_it_is_to_stop",),
    ),
    Mutant(
        "hang-untold",
        "A file system that hangs is told, and stands in the status.",
        "producers/feeds/aside.py",
        "                if told is not None:\n",
        "                if told is None:\n",
        (f"{HANGING}::test_a_hanging_folder_is_told_and_ends_when_it_is_to_stop",),
    ),
    Mutant(
        "feed-name-left-out",
        "Whoever fills one feed cannot use up the names of another's facts.",
        "producers/source.py",
        '{field: f"{name}/{fact}" for field, fact in facts.items() if fact}',
        "{field: fact for field, fact in facts.items() if fact}",
        (f"{READING}::test_two_feeds_with_the_same_ids_are_two_sources",),
    ),
    Mutant(
        "old-facts-renamed",
        "A feed that ran before there were names in facts goes on without: nothing is told anew.",
        "store/feeds/names.py",
        "            return feed if found is None else found\n",
        "            return found or feed\n",
        ("tests/contract/store/test_migrate.py::test_feeds_that_there_were_go_on_without_their_name_in_their_facts",),
    ),
    Mutant(
        "edi-of-strangers",
        "EDI of senders that are not named is refused.",
        "producers/warehouse/edi/envelope.py",
        "            if envelope and allowed and said not in allowed:\n",
        "            if envelope and allowed and not said:\n",
        ("tests/unit/producers/warehouse/edi/test_x12.py::test_only_senders_and_receivers_that_are_named_are_taken",),
    ),
)
