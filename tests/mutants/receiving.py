"""Mutants of who gets in and what leaks: files of secrets, the receiver's bounds, the mode of a fact, exposure."""

from typing import Final

from tests.mutants.mutant import Mutant

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
)
