/**
 * The numbers of threads on offer, ascending: 1 to 4, then roughly half as many again each time, and all.
 *
 * @param chosen is offered too
 */
export function threadChoices(cores: number, chosen: number | null = null): number[] {
  const steps = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128];
  const offered = [...steps.filter((step) => step < cores), cores];
  if (chosen !== null && chosen < cores && !offered.includes(chosen)) offered.push(chosen);
  return offered.toSorted((a, b) => a - b);
}
