import assert from "node:assert/strict";
import { test } from "node:test";
import { subtotal, total, vat } from "../src/invoice.js";

const lines = [
  { name: "Desk lamp", quantity: 2, price: 3450 },
  { name: "Bulb, warm", quantity: 6, price: 475 },
];

test("the subtotal counts every piece", () => {
  assert.equal(subtotal(lines), 9750);
});

test("VAT is rounded to the cent", () => {
  assert.equal(vat([{ name: "Pen", quantity: 1, price: 199 }], 19), 38);
});

test("the total is subtotal and VAT", () => {
  assert.equal(total(lines, 20), 11700);
});
