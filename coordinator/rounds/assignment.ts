/** A shard as assignment sees it. */
export interface AssignableShard {
  readonly id: string;
  readonly rows: number;
}

/** Which shards one node trains on in a round. */
export interface Assignment {
  readonly nodeId: string;
  readonly shards: readonly string[];
  readonly rows: number;
}

/**
 * Gives every shard to one node: first to the node that had it before (its cache holds it), as long as that
 * node keeps at most `ceil(shards / nodes)`, then to the node with the fewest rows, ties to the first named.
 *
 * @param nodeIds nodes in order of preference; at most one per shard gets work, the rest get none
 * @param previous shard id to the node that had it last
 * @returns one entry a node that got a shard, in the order of `nodeIds`
 */
export function assignShards(
  shards: readonly AssignableShard[],
  nodeIds: readonly string[],
  previous: ReadonlyMap<string, string>,
): Assignment[] {
  const takers = nodeIds.slice(0, shards.length);
  if (takers.length === 0) return [];
  const most = Math.ceil(shards.length / takers.length);
  const loads = takers.map((nodeId) => ({ nodeId, shards: [] as AssignableShard[], rows: 0 }));
  const give = (load: (typeof loads)[number], shard: AssignableShard): void => {
    load.shards.push(shard);
    load.rows += shard.rows;
  };

  const homeless: AssignableShard[] = [];
  for (const shard of shards) {
    const owner = loads.find(({ nodeId }) => nodeId === previous.get(shard.id));
    if (owner && owner.shards.length < most) give(owner, shard);
    else homeless.push(shard);
  }
  for (const shard of homeless) {
    give(
      loads.reduce((least, load) => (load.rows < least.rows ? load : least)),
      shard,
    );
  }
  rescueIdle(loads);
  return loads.map((load) => ({ ...load, shards: load.shards.map(({ id }) => id) }));
}

/** Former owners can leave a newcomer without a shard; the most loaded node gives one up. */
function rescueIdle(loads: { shards: AssignableShard[]; rows: number }[]): void {
  for (const idle of loads.filter(({ shards }) => shards.length === 0)) {
    const donor = loads.reduce((most, load) => (load.shards.length > most.shards.length ? load : most));
    const shard = donor.shards.pop();
    if (!shard) return;
    donor.rows -= shard.rows;
    idle.shards.push(shard);
    idle.rows += shard.rows;
  }
}
