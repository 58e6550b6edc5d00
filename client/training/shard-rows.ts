import type { Shard } from "../../protocol/catalogs.ts";
import { downloadShard, type ShardSource } from "../data/shard-download.ts";
import { readShardTable, type ShardTable } from "../data/shard-table.ts";
import { featureColumns, labelTargets } from "../data/training-columns.ts";
import type { RowSource } from "./training-rows.ts";

/** Rows from downloaded or cached shards. */
export function shardRows(source: Omit<ShardSource, "signal">): RowSource {
  const tablesOf = (
    shards: readonly Shard[],
    signal: AbortSignal,
    onBytes: (bytes: number) => void,
  ): Promise<ShardTable[]> =>
    Promise.all(
      shards.map(async (shard) => {
        const { bytes, bytesDown } = await downloadShard(shard, { ...source, signal });
        if (bytesDown > 0) onBytes(bytesDown);
        return readShardTable(bytes, shard);
      }),
    );
  return {
    async features(plan, signal, onBytes) {
      const tables = await tablesOf(plan.shards, signal, onBytes);
      return { rows: rowsOf(tables), ...featureColumns(tables, plan.features) };
    },
    async labelled(plan, signal, onBytes) {
      const tables = await tablesOf(plan.shards, signal, onBytes);
      const targets = labelTargets(tables, plan.label);
      return { rows: rowsOf(tables), ...featureColumns(tables, plan.features), targets };
    },
  };
}

function rowsOf(tables: readonly ShardTable[]): number {
  return tables.reduce((sum, { rows }) => sum + rows, 0);
}
