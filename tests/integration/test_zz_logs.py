"""Runs last: no credential in any line that any twin of this run wrote."""

from test_https_nginx import SECRETS

ENCODED = ["YmVzc19kZXZpY2U6", "S3CRET"]  # base64 of "bess_device:", and what all secrets have in common


def test_no_credential_in_any_log(twin_lines):
    lines, with_credentials = twin_lines
    assert len(lines) > 5 * with_credentials
    if with_credentials == 0:
        import pytest
        pytest.skip("no twin with credentials ran in this selection")
    found = [line for line in lines for secret in [*SECRETS, *ENCODED] if secret in line]
    assert found == []
