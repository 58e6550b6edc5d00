/** The item at `index`, which is there. */
export function itemAt<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw new Error(`unreachable: no item ${index} of ${items.length}`);
  return item;
}
