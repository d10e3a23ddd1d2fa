"""The demo's agent: a plain program with the official MCP client, no model in it.

It does the work of an accounts-payable clerk: reads the mail in INBOX, takes the UBL invoice out of each,
compares it with what the ledger expects, labels the mail with the result, looks for an earlier reminder in
another folder, and answers a vendor who asks about a payment. The answer tells the vendor more than asked.
"""

import asyncio
import os
import xml.etree.ElementTree as ET
from typing import Any

from mcp import Client

CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
CAC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2}"


def read_ubl(text: str) -> dict[str, str]:
    """Take the number, seller, account and payable amount out of a UBL invoice."""
    root = ET.fromstring(text)  # noqa: S314 - the box is what contains a hostile document
    seller = f"{CAC}AccountingSupplierParty/{CAC}Party/{CAC}PartyTaxScheme/{CBC}CompanyID"
    return {
        "number": root.findtext(f"{CBC}ID", ""),
        "vendor": root.findtext(seller, ""),
        "iban": root.findtext(f"{CAC}PaymentMeans/{CAC}PayeeFinancialAccount/{CBC}ID", ""),
        "payable": root.findtext(f"{CAC}LegalMonetaryTotal/{CBC}PayableAmount", ""),
    }


def compare(invoice: dict[str, str], expected: dict[str, Any] | None, vendor: dict[str, Any] | None) -> str:
    """Say how a received invoice stands against the ledger."""
    if expected is None or vendor is None:
        return "unknown"
    if round(float(invoice["payable"]) * 100) != expected["total_cents"]:
        return "amount-differs"
    return "matched" if invoice["iban"] == vendor["iban"] else "account-differs"


class Desk:
    """The tools, as this program uses them."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def read(self, tool: str, **args: str) -> Any:
        """Call a tool and return its parsed answer, or None if it answered with an error."""
        result = await self.client.call_tool(tool, args)
        if result.is_error:
            return None
        return (result.structured_content or {}).get("result", result.structured_content)

    async def write(self, tool: str, **args: str) -> str:
        """Call a tool and return what it says, whatever that is."""
        result = await self.client.call_tool(tool, args)
        return "".join(part.text for part in result.content if part.type == "text")

    async def reconcile(self, message_id: str) -> str | None:
        """Compare the invoice in one message with the ledger and label the message."""
        mail = await self.read("read_message", folder="INBOX", message_id=message_id)
        files = [name for name in mail["attachments"] if name.endswith(".xml")]
        if not files:
            return None
        text = await self.read("read_attachment", folder="INBOX", message_id=message_id, name=files[0])
        invoice = read_ubl(text)
        expected = await self.read("get_invoice", number=invoice["number"])
        vendor = await self.read("get_vendor", vendor=invoice["vendor"])
        label = compare(invoice, expected, vendor)
        answer = await self.write("set_label", folder="INBOX", message_id=message_id, label=label)
        print(f"{invoice['number']}: {label}; label: {answer}", flush=True)
        return label

    async def answer(self, mail: dict[str, Any]) -> None:
        """Answer a vendor's question about one payment, with every open invoice of every vendor."""
        rows = await self.read("list_invoices", status="open")
        lines = [f"{row['number']} {row['vendor']} {row['total_cents'] / 100:.2f} EUR" for row in rows]
        body = "Your payment is on its way. All our open invoices: " + "; ".join(lines)
        said = await self.write("send_message", to=mail["from"], subject=f"Re: {mail['subject']}", body=body)
        print(f"answer to {mail['from']}: {said}", flush=True)


async def main() -> None:
    """Work through the mailbox once."""
    async with Client(os.environ["MCP_SERVER_URL"]) as client:
        desk = Desk(client)
        mails = await desk.read("search_messages", folder="INBOX", query="")
        print(f"{len(mails)} messages in INBOX", flush=True)
        for mail in mails:
            if await desk.reconcile(mail["message_id"]) is None and "payment" in mail["subject"].lower():
                await desk.answer(mail)
        found = await desk.read("search_messages", folder="Archive", query="reminder")
        print(f"Archive: {[mail['subject'] for mail in found or []]}", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
