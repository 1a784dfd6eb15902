"""Walks through the API with a client that openapi-python-client made."""

import os
import time

import httpx
from user_accounts_client import AuthenticatedClient, Client
from user_accounts_client.api.accounts import change_account, change_many_accounts, create_account, list_accounts
from user_accounts_client.api.import_and_export import get_job, list_job_rows, start_import, submit_import
from user_accounts_client.api.sign_in import sign_in
from user_accounts_client.models import (
    AccountCreate,
    AccountPatch,
    AccountsBulkBlock,
    AccountsBulkBlockAction,
    AccountsBulkBlockArguments,
    LoginLogin,
    Problem,
    TransfersImport,
    TransfersImportDateFormat,
)

url = os.environ["URL"]
step = sign_in.sync(client=Client(base_url=url), body=LoginLogin(identifier="admin", password=os.environ["ADMIN_PASSWORD"]))
client = AuthenticatedClient(base_url=url, token=step.access_token)


def create(username):
    body = AccountCreate(
        username=username, name="Python Journey", email=f"{username}@example.com", user_type="FULL", roles=["VIEWER"]
    )
    return create_account.sync_detailed(client=client, body=body)


first = create("pyjourney1")
assert first.status_code == 201, first
assert create("pyjourney2").status_code == 201
taken = create("pyjourney1")
assert taken.status_code == 409 and isinstance(taken.parsed, Problem) and taken.parsed.code == "taken", taken

seen, cursor = 0, {}
while True:
    page = list_accounts.sync(client=client, limit=1, roles=["ADMIN", "VIEWER"], find="journey", **cursor)
    seen += len(page.items)
    if not page.next_:
        break
    cursor = {"cursor": page.next_}
assert seen >= 2, seen

account, tag = first.parsed, first.headers["ETag"]
changed = change_account.sync_detailed(account.id, client=client, body=AccountPatch(name="Python Changed"), if_match=tag)
assert changed.status_code == 200 and changed.parsed.version > account.version, changed
stale = change_account.sync_detailed(account.id, client=client, body=AccountPatch(name="Python Stale"), if_match=tag)
assert stale.status_code == 412 and stale.parsed.code == "stale", stale
invalid = change_account.sync_detailed(
    account.id, client=client, body=AccountPatch(name="   "), if_match=changed.headers["ETag"]
)
assert invalid.status_code == 422 and len(invalid.parsed.fields) == 1, invalid

bulk = change_many_accounts.sync(
    client=client,
    body=AccountsBulkBlock(
        action=AccountsBulkBlockAction.BLOCK, ids=[account.id], arguments=AccountsBulkBlockArguments(reason="Left")
    ),
)
assert len(bulk.items) == 1, bulk

begun = start_import.sync(client=client, body=TransfersImport(date_format=TransfersImportDateFormat.ISO))
with open(os.environ["WORKBOOK"], "rb") as workbook:
    sent = httpx.post(begun.form.url, data=begun.form.fields.to_dict(), files={"file": ("joiners.xlsx", workbook)})
assert sent.is_success, sent.text
submitted = submit_import.sync_detailed(begun.job.id, client=client)
assert submitted.status_code < 300, submitted
for _ in range(60):
    job = get_job.sync(begun.job.id, client=client)
    if job.state == "done":
        break
    time.sleep(1)
assert job.state == "done", job
assert list_job_rows.sync(begun.job.id, client=client).items
print("the Python client works")
