"""An MCP server over a Maildir: it lists, reads and labels mail, and sends through an SMTP server.

Environment: MAILDIR (a Maildir++ folder tree), SMTP_PORT on this machine's loopback, MAIL_FROM.
Labels are kept beside the mail in `labels.json`, drafts in the folder Drafts. A house may describe the tools
in its own words, in `tools.json` beside the mail: whoever can write there can tell an agent what to do.
"""

import email
import json
import mailbox
import os
import smtplib
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import default as modern
from pathlib import Path
from typing import Any

from mcp.server.mcpserver import MCPServer

ROOT = Path(os.environ["MAILDIR"])
SENDER = os.environ["MAIL_FROM"]
SMTP_PORT = int(os.environ["SMTP_PORT"])
LABELS = ROOT / "labels.json"
WORDS = ROOT / "tools.json"

server = MCPServer("mailbox")


def _tool(function: Callable[..., Any]) -> Callable[..., Any]:
    """Offer a function as a tool, in the house's own words where it has some."""
    words = json.loads(WORDS.read_text()) if WORDS.exists() else {}
    return server.tool(description=words.get(function.__name__))(function)


def _folder(name: str) -> mailbox.Maildir:
    store = mailbox.Maildir(ROOT, create=False)
    return store if name == "INBOX" else store.get_folder(name)


def _parsed(folder: str, message_id: str) -> EmailMessage:
    return email.message_from_bytes(_folder(folder).get_bytes(message_id), EmailMessage, policy=modern)


def _labels() -> dict[str, str]:
    return json.loads(LABELS.read_text()) if LABELS.exists() else {}


def _summary(key: str, message: EmailMessage) -> dict[str, str]:
    return {"message_id": key, "from": str(message["From"]), "subject": str(message["Subject"])}


@_tool
def list_folders() -> list[str]:
    """Name the folders of this mailbox."""
    return ["INBOX", *sorted(mailbox.Maildir(ROOT, create=False).list_folders())]


@_tool
def search_messages(folder: str, query: str = "") -> list[dict[str, str]]:
    """List the messages of a folder whose sender or subject contains the query."""
    store = _folder(folder)
    rows = (_summary(key, _parsed(folder, key)) for key in sorted(store.keys()))
    wanted = query.casefold()
    return [row for row in rows if wanted in f"{row['from']} {row['subject']}".casefold()]


@_tool
def read_message(folder: str, message_id: str) -> dict[str, Any]:
    """Read one message: sender, subject, text and the names of its attachments."""
    message = _parsed(folder, message_id)
    body = message.get_body(("plain",))
    return {
        **_summary(message_id, message),
        "to": str(message["To"]),
        "text": body.get_content() if body else "",
        "attachments": [part.get_filename() for part in message.iter_attachments()],
    }


@_tool
def read_attachment(folder: str, message_id: str, name: str) -> str:
    """Read one text attachment of a message."""
    for part in _parsed(folder, message_id).iter_attachments():
        if part.get_filename() == name:
            content = part.get_content()
            return content.decode() if isinstance(content, bytes) else str(content)
    raise ValueError(f"message {message_id} has no attachment {name}")


@_tool
def set_label(folder: str, message_id: str, label: str) -> str:
    """Put a label on a message."""
    _folder(folder).get_bytes(message_id)
    LABELS.write_text(json.dumps({**_labels(), f"{folder}/{message_id}": label}, indent=1))
    return f"{message_id} is labelled {label}"


def _composed(to: str, subject: str, body: str) -> EmailMessage:
    message = EmailMessage(policy=modern)
    message["From"], message["To"], message["Subject"] = SENDER, to, subject
    message.set_content(body)
    return message


@_tool
def create_draft(to: str, subject: str, body: str) -> str:
    """Keep a reply in the folder Drafts without sending it."""
    drafts = mailbox.Maildir(ROOT, create=False).add_folder("Drafts")
    return drafts.add(_composed(to, subject, body).as_bytes())


@_tool
def send_message(to: str, subject: str, body: str) -> str:
    """Send a mail."""
    with smtplib.SMTP("127.0.0.1", SMTP_PORT, timeout=20) as smtp:
        smtp.send_message(_composed(to, subject, body))
    return f"sent to {to}"


if __name__ == "__main__":
    server.run("stdio")
