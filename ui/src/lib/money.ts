// Sums as people read them.

/** "$0.42", "$1,204.00"; what is less than a cent is not nothing. */
export function dollars(sum: number): string {
    if (sum > 0 && sum < 0.005) return "< $0.01";
    return `$${sum.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}

/** "840", "12.4k", "3.1M". */
export function tokens(count: number): string {
    if (count < 1_000) return String(Math.round(count));
    const [size, sign] = count < 1_000_000 ? [1_000, "k"] : count < 1_000_000_000 ? [1_000_000, "M"] : [1_000_000_000, "B"];
    const sum = count / size;
    return `${sum < 100 ? sum.toFixed(1).replace(/\.0$/, "") : Math.round(sum)}${sign}`;
}
