"""Electronic invoices as EN 16931 asks for them, in UBL 2.1 syntax: one writer, one small reader.

The element names are those of OASIS UBL 2.1 `Invoice-2`; the business terms (BT-…) those of EN 16931-1.
Only the core that every invoice needs is written: no allowances, one tax rate.
"""

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

INVOICE = "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
CAC = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
TAX_PERCENT = Decimal(19)
CENT = Decimal("0.01")


@dataclass(frozen=True)
class Party:
    """A seller or buyer: name (BT-27, BT-44), VAT identifier (BT-31, BT-48), mail address, bank account."""

    name: str
    vat_id: str
    mail: str
    iban: str = ""


@dataclass(frozen=True)
class Invoice:
    """One invoice with a single line; money in the currency's units with two decimals."""

    number: str
    issued: date
    due: date
    order: str
    seller: Party
    buyer: Party
    item: str
    quantity: int
    price: Decimal
    currency: str = "EUR"

    @property
    def net(self) -> Decimal:
        """Sum of line net amounts (BT-106)."""
        return (self.price * self.quantity).quantize(CENT)

    @property
    def tax(self) -> Decimal:
        """Invoice total VAT amount (BT-110)."""
        return (self.net * TAX_PERCENT / 100).quantize(CENT)

    @property
    def total(self) -> Decimal:
        """Invoice total amount with VAT (BT-112)."""
        return self.net + self.tax


def to_ubl(invoice: Invoice) -> str:
    """Return the invoice as a UBL 2.1 XML document in the element order of the schema."""
    for prefix, space in (("", INVOICE), ("cac", CAC), ("cbc", CBC)):
        ET.register_namespace(prefix, space)
    root = ET.Element(f"{{{INVOICE}}}Invoice")
    _head(root, invoice)
    _party(root, "AccountingSupplierParty", invoice.seller)
    _party(root, "AccountingCustomerParty", invoice.buyer)
    _payment(root, invoice)
    _totals(root, invoice)
    _line(root, invoice)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False)


def _b(parent: ET.Element, name: str, text: object, **attributes: str) -> None:
    ET.SubElement(parent, f"{{{CBC}}}{name}", attributes).text = str(text)


def _a(parent: ET.Element, name: str) -> ET.Element:
    return ET.SubElement(parent, f"{{{CAC}}}{name}")


def _head(root: ET.Element, invoice: Invoice) -> None:
    _b(root, "CustomizationID", "urn:cen.eu:en16931:2017")  # BT-24
    _b(root, "ID", invoice.number)  # BT-1
    _b(root, "IssueDate", invoice.issued.isoformat())  # BT-2
    _b(root, "DueDate", invoice.due.isoformat())  # BT-9
    _b(root, "InvoiceTypeCode", 380)  # BT-3, commercial invoice
    _b(root, "DocumentCurrencyCode", invoice.currency)  # BT-5
    _b(_a(root, "OrderReference"), "ID", invoice.order)  # BT-13


def _party(root: ET.Element, role: str, party: Party) -> None:
    node = _a(_a(root, role), "Party")
    address = _a(node, "PostalAddress")
    _b(_a(address, "Country"), "IdentificationCode", party.vat_id[:2])  # BT-40, BT-55
    tax = _a(node, "PartyTaxScheme")
    _b(tax, "CompanyID", party.vat_id)
    _b(_a(tax, "TaxScheme"), "ID", "VAT")
    _b(_a(node, "PartyLegalEntity"), "RegistrationName", party.name)
    _b(_a(node, "Contact"), "ElectronicMail", party.mail)  # BT-43, BT-58


def _payment(root: ET.Element, invoice: Invoice) -> None:
    means = _a(root, "PaymentMeans")
    _b(means, "PaymentMeansCode", 58)  # BT-81, SEPA credit transfer
    _b(_a(means, "PayeeFinancialAccount"), "ID", invoice.seller.iban)  # BT-84


def _category(parent: ET.Element, name: str) -> None:
    node = _a(parent, name)
    _b(node, "ID", "S")
    _b(node, "Percent", TAX_PERCENT)
    _b(_a(node, "TaxScheme"), "ID", "VAT")


def _totals(root: ET.Element, invoice: Invoice) -> None:
    money = {"currencyID": invoice.currency}
    tax = _a(root, "TaxTotal")
    _b(tax, "TaxAmount", invoice.tax, **money)
    part = _a(tax, "TaxSubtotal")
    _b(part, "TaxableAmount", invoice.net, **money)
    _b(part, "TaxAmount", invoice.tax, **money)
    _category(part, "TaxCategory")
    sums = _a(root, "LegalMonetaryTotal")
    _b(sums, "LineExtensionAmount", invoice.net, **money)
    _b(sums, "TaxExclusiveAmount", invoice.net, **money)
    _b(sums, "TaxInclusiveAmount", invoice.total, **money)
    _b(sums, "PayableAmount", invoice.total, **money)  # BT-115


def _line(root: ET.Element, invoice: Invoice) -> None:
    line = _a(root, "InvoiceLine")
    _b(line, "ID", 1)
    _b(line, "InvoicedQuantity", invoice.quantity, unitCode="C62")
    _b(line, "LineExtensionAmount", invoice.net, currencyID=invoice.currency)
    item = _a(line, "Item")
    _b(item, "Name", invoice.item)
    _category(item, "ClassifiedTaxCategory")
    _b(_a(line, "Price"), "PriceAmount", invoice.price, currencyID=invoice.currency)
