// Amounts are whole cents; a rate is a percentage.

export function subtotal(lines) {
  return lines.reduce((sum, line) => sum + line.price, 0);
}

export function vat(lines, rate) {
  return Math.round((subtotal(lines) * rate) / 100);
}

export function total(lines, rate) {
  return subtotal(lines) + vat(lines, rate);
}
