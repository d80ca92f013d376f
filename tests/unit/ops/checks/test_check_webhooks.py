"""What `relay check` says of signing secrets: which they are, and never what they are."""

from pathlib import Path

from ops.checks.findings import Checklist
from ops.checks.webhooks import check_webhooks
from runtime.secret_files import fingerprint
from runtime.settings import Settings

OLD, NEW = "whsec_0123456789abcdef01", "whsec_fedcba9876543210fe"


async def test_each_secret_is_told_by_its_fingerprint(tmp_path: Path) -> None:
    (file := tmp_path / "stripe").write_text(f"# two for now\n{OLD}\n{NEW}\n")
    checklist = Checklist()
    await check_webhooks(checklist, Settings(stripe={"secrets_file": file}))
    (finding,) = checklist.findings
    assert finding.ok
    assert finding.text == f"2 signing secrets, fingerprint {fingerprint(OLD)}, {fingerprint(NEW)}"
    assert "0123" not in finding.text


async def test_a_file_that_cannot_be_used_is_wrong(tmp_path: Path) -> None:
    (file := tmp_path / "stripe").write_text("rotate in May\n")
    checklist = Checklist()
    await check_webhooks(checklist, Settings(stripe={"secrets_file": file}, shopify={"secrets_file": tmp_path / "no"}))
    assert [(each.what, each.ok) for each in checklist.findings] == [("stripe", False), ("shopify", False)]
    assert "line 1" in checklist.findings[0].text
