"""Documents of every payroll source, made from the same invented people; each amount of a person is his own."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

MARK: Final = "Zyxplant"
"""A word that stands in every field of a person and nowhere else."""


@dataclass(frozen=True)
class Person:
    """Amounts in cents."""

    gross: int
    tax: int
    social: int
    pension: int
    garnished: int
    reimbursed: int
    employer: int
    benefit: int

    @property
    def net(self) -> int:
        return self.gross - self.tax - self.social - self.pension - self.garnished


def money(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def total(people: Sequence[Person], name: str) -> int:
    return sum(getattr(person, name) for person in people)


def personal(number: int) -> dict[str, Any]:
    return {
        "first_name": f"{MARK} {number}",
        "last_name": f"{MARK}son",
        "FirstName": f"{MARK}",
        "LastName": f"{MARK}",
        "firstName": f"{MARK}",
        "ssn": f"{MARK}-078-05-1120",
        "email": f"{MARK}@example.org",
        "home_address": {"street_1": f"{number} {MARK} Street", "city": MARK},
        "bank_account": {"account_number": f"{MARK}000123456789", "iban": f"{MARK}"},
        "memo": f"paid to {MARK}",
    }


def gusto(people: Sequence[Person]) -> dict[str, Any]:
    sums = {field.name: total(people, field.name) for field in fields(Person)}
    net = total(people, "net")
    return {
        "processed": True,
        "payroll_uuid": "run-1",
        "company_uuid": "com-1",
        "check_date": "2026-04-17",
        "pay_period": {"start_date": "2026-04-01", "end_date": "2026-04-15"},
        "totals": {
            "gross_pay": money(sums["gross"]),
            "net_pay": money(net),
            "employee_taxes": money(sums["tax"] + sums["social"]),
            "employer_taxes": money(sums["employer"]),
            "employee_benefits_deductions": money(sums["pension"] + sums["garnished"]),
            "other_deductions": "0.00",
            "benefits": money(sums["benefit"]),
            "reimbursements": money(sums["reimbursed"]),
        },
        "employee_compensations": [
            personal(number)
            | {
                "employee_uuid": f"{MARK}-{number}",
                "gross_pay": money(person.gross),
                "net_pay": money(person.net),
                "fixed_compensations": [{"name": "Reimbursement", "amount": money(person.reimbursed)}],
                "benefits": [
                    {
                        "name": "Pension",
                        "employee_deduction": money(person.pension),
                        "company_contribution": money(person.benefit),
                    }
                ],
                "deductions": [{"name": "Child Support", "amount": money(person.garnished)}],
                "taxes": [
                    {"name": "Income Tax", "employer": False, "amount": money(person.tax)},
                    {"name": "Social", "employer": False, "amount": money(person.social)},
                    {"name": "Social", "employer": True, "amount": money(person.employer)},
                ],
            }
            for number, person in enumerate(people)
        ],
    }


def xero_au(people: Sequence[Person]) -> dict[str, Any]:
    def amounts(of: Sequence[Person], reimbursed: str) -> dict[str, str]:
        return {
            "Wages": money(total(of, "gross")),
            "Deductions": money(total(of, "pension") + total(of, "garnished")),
            "Tax": money(total(of, "tax") + total(of, "social")),
            "Super": money(total(of, "benefit")),
            reimbursed: money(total(of, "reimbursed")),
            "NetPay": money(total(of, "net")),
        }

    slips = [
        personal(number) | {"EmployeeID": f"{MARK}-{number}"} | amounts([person], "Reimbursements")
        for number, person in enumerate(people)
    ]
    run = {
        "PayRunID": "run-1",
        "PayRunPeriodStartDate": "/Date(1572566400000+0000)/",
        "PayRunPeriodEndDate": "/Date(1573084800000+0000)/",
        "PaymentDate": "/Date(1573171200000+0000)/",
        "PayRunStatus": "POSTED",
        "Payslips": slips,
    }
    return {"PayRuns": [run | amounts(people, "Reimbursement")]}


def xero_nz(people: Sequence[Person]) -> dict[str, Any]:
    slips = [
        personal(number)
        | {
            "employeeID": f"{MARK}-{number}",
            "totalEarnings": money(person.gross),
            "totalPay": money(person.net + person.reimbursed),
            "totalEmployeeTaxes": money(person.tax + person.social),
            "totalEmployerTaxes": money(person.employer),
            "totalDeductions": money(person.pension),
            "totalStatutoryDeductions": money(person.garnished),
            "totalReimbursements": money(person.reimbursed),
            "totalSuperannuation": money(person.benefit),
            "employeeTaxLines": [
                {"description": "PAYE", "amount": money(person.tax)},
                {"description": "Levy", "amount": money(person.social)},
            ],
            "reimbursementLines": [{"description": f"lunch of {MARK}", "amount": money(person.reimbursed)}],
        }
        for number, person in enumerate(people)
    ]
    return {
        "payRun": {
            "payRunID": "run-1",
            "periodStartDate": "2026-04-01T00:00:00",
            "periodEndDate": "2026-04-14T00:00:00",
            "paymentDate": "2026-04-16T00:00:00",
            "payRunStatus": "Posted",
            "totalPay": money(total(people, "net") + total(people, "reimbursed")),
            "totalCost": money(sum(total(people, part) for part in ("gross", "benefit", "employer", "reimbursed"))),
            "paySlips": slips,
        }
    }


def finch(people: Sequence[Person]) -> dict[str, Any]:
    def cents(amount: int) -> dict[str, Any]:
        return {"amount": amount, "currency": "usd"}

    statements = [
        personal(number)
        | {
            "individual_id": f"{MARK}-{number}",
            "gross_pay": cents(person.gross),
            "net_pay": cents(person.net),
            "earnings": [
                {"type": "salary", "name": "Salary"} | cents(person.gross),
                {"type": "reimbursement", "name": "Travel"} | cents(person.reimbursed),
            ],
            "taxes": [
                {"type": "federal", "name": "Income Tax", "employer": False} | cents(person.tax),
                {"type": "fica", "name": "Social", "employer": False} | cents(person.social),
                {"type": "fica", "name": "Social", "employer": True} | cents(person.employer),
            ],
            "employee_deductions": [
                {"type": "401k", "name": "Pension"} | cents(person.pension),
                {"type": None, "name": "Child Support"} | cents(person.garnished),
            ],
            "employer_contributions": [{"type": "401k", "name": "Pension"} | cents(person.benefit)],
        }
        for number, person in enumerate(people)
    ]
    payment = {
        "id": "run-1",
        "pay_date": "2026-04-17",
        "pay_period": {"start_date": "2026-04-01", "end_date": "2026-04-15"},
        "gross_pay": cents(total(people, "gross")),
        "net_pay": cents(total(people, "net")),
        "employee_taxes": cents(total(people, "tax") + total(people, "social")),
        "employer_taxes": cents(total(people, "employer")),
        "individual_ids": [f"{MARK}-{number}" for number in range(len(people))],
    }
    return {"payment": payment, "pay_statements": statements}


DOCUMENTS: Final[Mapping[str, tuple[str, Callable[[Sequence[Person]], dict[str, Any]]]]] = {
    "gusto": ("gusto", gusto),
    "xero-au": ("xero-payroll", xero_au),
    "xero-nz": ("xero-payroll", xero_nz),
    "finch": ("finch", finch),
}
"""By name: the source, and what makes a document of people."""

CSV_HEADER: Final = (
    "Employee Name",
    "File #",
    "Tax ID (SSN)",
    "Co Code",
    "Payroll Number",
    "Home Department",
    "Pay Date",
    "Period Beginning Date",
    "Period Ending Date",
    "Regular Earnings",
    "Expense Reimbursement",
    "Federal Income Tax",
    "Social Security Tax",
    "401K Deduction",
    "Garnishment",
    "Social Security - Employer",
    "401K - Employer",
    "Net Pay",
)
"""Columns of the mapping of ADP."""


def csv_rows(people: Sequence[Person]) -> list[list[str]]:
    days = ["04/17/2026", "04/01/2026", "04/15/2026"]
    rows = [
        [
            *(f"{MARK}, {number}", f"{MARK}{number}", f"{MARK}-1120", "CO1", "8", "Sales", *days),
            *(
                money(getattr(person, name))
                for name in ("gross", "reimbursed", "tax", "social", "pension", "garnished")
            ),
            *(money(person.employer), money(person.benefit), money(person.net + person.reimbursed)),
        ]
        for number, person in enumerate(people)
    ]
    return [list(CSV_HEADER), *rows]


def csv_bytes(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()
