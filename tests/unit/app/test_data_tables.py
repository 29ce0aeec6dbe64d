"""Lookup tables that are two columns of a data file."""

from __future__ import annotations

import json
from typing import Any

import pytest

from isthmus.app.project.problems import ProjectProblems
from isthmus.app.translations import listed
from isthmus.errors import ConfigurationError

TABLE = "table: item_number\nfile: ${data}/Product.csv\nkey: ProductID\nvalue: ProductNumber\n"
PRODUCTS = "ProductID,Name,ProductNumber\n1,Race,AR-5381\n2,Ball,BA-8327\n"


@pytest.fixture
def products(folder: Any) -> Any:
    folder.write("lookups/items.yaml", TABLE)
    folder.write("input/Product.csv", PRODUCTS)
    return folder


def test_two_columns_make_a_table(products: Any) -> None:
    project = products.load()
    assert project.tables["item_number"] == {"1": "AR-5381", "2": "BA-8327"}
    assert project.tables["centres"] == {"A": "0100", "B": "0200"}
    rows = listed(project, [], "item_number")
    assert [(row.key, row.value, row.origin) for row in rows] == [
        ("1", "AR-5381", "${data}/Product.csv"),
        ("2", "BA-8327", "${data}/Product.csv"),
    ]


def test_a_path_without_variable_counts_from_the_project_and_a_variable_from_where_it_was_given(products: Any) -> None:
    products.write("lookups/items.yaml", TABLE.replace("${data}", "input"))
    assert products.load().tables["item_number"]["1"] == "AR-5381"
    products.write("lookups/items.yaml", TABLE)
    (products.outside / "lists").mkdir()
    (products.outside / "Product.csv").write_text(PRODUCTS.replace("AR-5381", "X"), encoding="utf-8")
    products.sets = {"data": "."}
    assert products.load().tables["item_number"]["1"] == "X"


def test_how_the_file_is_written_is_said(products: Any) -> None:
    text = "a list\n" + PRODUCTS.replace(",", ";").replace("Race", "Rä").replace("AR-5381", "Ä-5381")
    (products.path / "input/Product.csv").write_bytes(text.encode("cp1252"))
    products.write("lookups/items.yaml", TABLE + 'encoding: cp1252\ndelimiter: ";"\nskip_rows: 1\n')
    assert products.load().tables["item_number"]["1"] == "Ä-5381"


def test_rows_without_key_or_value_are_no_rows_and_repeats_are_one(products: Any) -> None:
    products.write("input/Product.csv", PRODUCTS + ",x,ZZ\n3,x,\n 1 ,again, AR-5381\n")
    assert products.load().tables["item_number"] == {"1": "AR-5381", "2": "BA-8327"}


def test_the_digest_follows_the_rows_and_nothing_else_of_the_file(products: Any) -> None:
    before = products.load()
    products.write("input/Product.csv", PRODUCTS.replace("Race", "Racer"))
    assert products.load().digest == before.digest
    products.write("input/Product.csv", PRODUCTS.replace("AR-5381", "AR-5382"))
    after = products.load()
    assert after.digest != before.digest
    assert json.loads(after.content)["data_tables"]["item_number"].keys() == {"table", "file", "key", "value", "digest"}
    assert json.loads(after.content)["tables"] == {"centres": {"A": "0100", "B": "0200"}}
    assert "AR-5382" not in after.content


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("Product.csv", "Produkt.csv", "lookups/items.yaml:2: ${data}/Produkt.csv: the file is not there. Looked for "),
        ("ProductID", "ProductId", "lookups/items.yaml:3: key: ${data}/Product.csv has no column 'ProductId': did you"),
        ("ProductNumber", "Price", "lookups/items.yaml:4: value: ${data}/Product.csv has no column 'Price': there is"),
        ("${data}", "${date}", "lookups/items.yaml:2: file: there is no variable 'date': did you mean 'data'?"),
        ("value: ProductNumber", "", "names a file: key and value must name two of its columns"),
        ("value:", "rows: {A: B}\nvalue:", "needs either rows, or file with key and value"),
        ("file: ${data}/Product.csv", "rows: {A: B}", "key, value is for tables that come from a file"),
        ("key:", "encoding: klingon\nkey:", "lookups/items.yaml:3: encoding: 'klingon' unknown encoding 'klingon'"),
        ("key:", "sheet: A\nkey:", "sheet is for format: xlsx only"),
        ("key:", "colour: red\nkey:", "lookups/items.yaml:3: unknown setting 'colour'"),
    ],
)
def test_what_cannot_work_is_said_with_its_line(products: Any, old: str, new: str, told: str) -> None:
    products.edit("lookups/items.yaml", old, new)
    assert told in products.problem()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("3,Torn\n", "${data}/Product.csv:4: 2 cells where the header has 3, so too few."),
        ("2,Ball,OTHER\n", "${data}/Product.csv:4: ProductID '2' is 'OTHER' here and 'BA-8327' on line 3."),
    ],
)
def test_lines_that_cannot_be_used_are_told_with_their_line(products: Any, text: str, told: str) -> None:
    products.write("input/Product.csv", PRODUCTS + text)
    assert products.problem() == told
    products.write("input/Product.csv", PRODUCTS + text * 8)
    problems = products.problems()
    assert (len(problems), str(problems[0])) == (6, "${data}/Product.csv: 3 lines more cannot be used.")


def test_an_empty_file_is_no_table(products: Any) -> None:
    products.write("input/Product.csv", "")
    assert "items.yaml:2: ${data}/Product.csv: is empty: it has not even a header. Looked for" in products.problem()


def test_a_problem_elsewhere_does_not_hide_one_here(products: Any) -> None:
    products.edit("flows/costs.yaml", "rules: maintenance", "rules: nowhere")
    products.edit("lookups/items.yaml", "ProductID", "Number")
    with pytest.raises(ProjectProblems) as caught:
        products.load()
    assert sorted(problem.file for problem in caught.value.problems) == ["flows/costs.yaml", "lookups/items.yaml"]
    assert all(isinstance(problem, ConfigurationError) for problem in caught.value.problems)


def test_a_workbook_that_is_none(products: Any) -> None:
    products.write("lookups/items.yaml", TABLE.replace("Product.csv", "Product.xlsx"))
    (products.path / "input/Product.xlsx").write_bytes(b"no workbook")
    assert "is no readable Excel workbook" in products.problem()
