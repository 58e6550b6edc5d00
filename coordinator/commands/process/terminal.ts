/** Where a command speaks. Tests collect instead of printing. */
export interface Terminal {
  /** A line of results, to standard output. */
  print(line: string): void;
  /** A line about the run itself, to standard error. */
  complain(line: string): void;
  /** Shows `line` until the next one, where somebody watches; nothing when output goes to a file or a pipe. */
  progress(line: string): void;
}

const ERASE_LINE = "\r\u001b[K";

/** The process's own output. */
export function processTerminal(): Terminal {
  const { stdout, stderr } = process;
  const erase = stdout.isTTY ? ERASE_LINE : "";
  return {
    print: (line) => void stdout.write(`${erase}${line}\n`),
    complain: (line) => {
      stdout.write(erase);
      stderr.write(`${line}\n`);
    },
    progress: (line) => {
      if (stdout.isTTY) stdout.write(`${erase}${line.slice(0, stdout.columns - 1)}`);
    },
  };
}

/**
 * A table in plain text: columns as wide as their widest cell, two spaces between, numbers to the right.
 *
 * @param rows each as long as `header`
 */
export function textTable(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const numeric = header.map((_, column) => rows.every((row) => /^[-+\d]/.test(row[column] ?? "")));
  return lines.map((line) =>
    line
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return numeric[column] ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}
