import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import * as z from "zod";
import { Slug } from "../../protocol/catalogs.ts";
import { AstroScaleError } from "../../protocol/errors.ts";
import {
  type BackendProbe,
  type Heartbeat,
  type JoinRequest,
  NodeCapabilities,
  type NodeFault,
  NodeId,
  NodeName,
  type NodeStatus,
} from "../../protocol/nodes.ts";
import type { Store } from "../store/store.ts";
import type { Clock } from "./clock.ts";

/** What survives a restart of a node's membership. The token itself is never stored. */
const MemberRecord = z.strictObject({
  nodeId: NodeId,
  name: NodeName,
  task: Slug,
  capabilities: NodeCapabilities,
  /** SHA-256 of the token's secret, lower-case hexadecimal. */
  secretHash: z.string(),
});

/** A node that has joined and not left. */
export interface Member extends z.infer<typeof MemberRecord> {
  /** Monotonic milliseconds; `null` since a restart until it is heard of. */
  lastSeenMs: number | null;
  state: NodeStatus["state"];
  examplesPerSecond: number | null;
  updates: number;
  rejected: number;
  /** As the node last reported them; a node repeats both in every heartbeat, so they are not stored. */
  probes: BackendProbe[];
  fault: NodeFault | null;
}

/** Nodes send a heartbeat at least this often. */
export const HEARTBEAT_SECS = 10;
/** Two missed heartbeats and half a third: a hidden tab's timers may slip by a second or more. */
const LEASE_MS = 2.5 * HEARTBEAT_SECS * 1000;

/** What is known of a member before its first heartbeat and its first update. */
const UNHEARD = { examplesPerSecond: null, updates: 0, rejected: 0, probes: [], fault: null };

const SECRET_BYTES = 32;
const NODE_ID_BYTES = 8;
const BEARER = /^Bearer ([0-9a-f]{16})\.([A-Za-z0-9_-]{43})$/;

function hash(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

/** Who has joined, who is there, and who a token belongs to. Leases run on the monotonic clock. */
export class Members {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #members = new Map<string, Member>();

  private constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** The members on disk; after a restart they count as lost until they are heard of. */
  static async load(store: Store, clock: Clock): Promise<Members> {
    const members = new Members(store, clock);
    for (const { value } of await store.list("nodes/")) {
      const record = MemberRecord.parse(value);
      members.#members.set(record.nodeId, {
        ...record,
        ...UNHEARD,
        lastSeenMs: null,
        state: "lost",
      });
    }
    return members;
  }

  /** A new member of `task` and its bearer token, `nodeId.secret`, which only the caller ever sees. */
  async join(request: JoinRequest, task: string): Promise<{ member: Member; token: string }> {
    const nodeId = randomBytes(NODE_ID_BYTES).toString("hex");
    const secret = randomBytes(SECRET_BYTES).toString("base64url");
    const record = {
      nodeId,
      name: request.name,
      task,
      capabilities: request.capabilities,
      secretHash: hash(secret).toString("hex"),
    };
    await this.#store.swap(`nodes/${nodeId}`, null, record);
    const member: Member = {
      ...record,
      ...UNHEARD,
      lastSeenMs: this.#clock.monotonicMs(),
      state: "waiting",
    };
    this.#members.set(nodeId, member);
    return { member, token: `${nodeId}.${secret}` };
  }

  /**
   * The member that an `Authorization` header belongs to, its lease renewed, and whether it had been lost.
   *
   * @throws {AstroScaleError} `unauthorized` when the header is absent, of another scheme, or of nobody
   */
  authenticate(authorization: string | undefined): { member: Member; returned: boolean } {
    const [, nodeId = "", secret = ""] = BEARER.exec(authorization ?? "") ?? [];
    const member = this.#members.get(nodeId);
    // Compared even for an unknown node, so that both refusals take the same time.
    const expected = Buffer.from(member?.secretHash ?? hash("").toString("hex"), "hex");
    const same = timingSafeEqual(hash(secret), expected);
    if (!member || !same) {
      throw new AstroScaleError(
        "unauthorized",
        "this call needs a node's token, from POST /federated/join, as a bearer token",
      );
    }
    const returned = member.state === "lost";
    this.#renew(member);
    return { member, returned };
  }

  #renew(member: Member): void {
    member.lastSeenMs = this.#clock.monotonicMs();
    if (member.state === "lost") member.state = "waiting";
  }

  /** Takes a heartbeat in. @returns whether anything people see has changed */
  heartbeat(member: Member, heartbeat: Heartbeat): boolean {
    const before = JSON.stringify(nodeStatus(member));
    const { backend, device = member.capabilities.device } = heartbeat;
    member.state = heartbeat.state;
    member.capabilities = { ...member.capabilities, backend, device };
    member.examplesPerSecond = heartbeat.examplesPerSecond;
    member.probes = heartbeat.probes ?? [];
    member.fault = heartbeat.fault ?? null;
    return JSON.stringify(nodeStatus(member)) !== before;
  }

  /** Forgets a member; its token is worth nothing from here on. */
  async leave(member: Member): Promise<void> {
    this.#members.delete(member.nodeId);
    const record = await this.#store.get(`nodes/${member.nodeId}`);
    if (record) await this.#store.remove(record.key, record.version);
  }

  /** Marks members as lost whose lease has run out. @returns those */
  expire(): Member[] {
    const lost = [...this.#members.values()].filter(
      (member) => member.state !== "lost" && !this.#isPresent(member),
    );
    for (const member of lost) member.state = "lost";
    return lost;
  }

  #isPresent({ lastSeenMs }: Member): boolean {
    return lastSeenMs !== null && this.#clock.monotonicMs() - lastSeenMs < LEASE_MS;
  }

  /** Nodes of `task` that can work now: fewest counted updates first, then in order of joining. */
  present(task: string): string[] {
    return [...this.#members.values()]
      .filter((member) => member.task === task && member.state !== "paused" && this.#isPresent(member))
      .toSorted((a, b) => a.updates - b.updates)
      .map(({ nodeId }) => nodeId);
  }

  /** Gives lost members one lease to come back: those of an open round, after a restart. */
  grantGrace(nodeIds: readonly string[]): void {
    for (const nodeId of nodeIds) {
      const member = this.#members.get(nodeId);
      if (member) this.#renew(member);
    }
  }

  get(nodeId: string): Member | undefined {
    return this.#members.get(nodeId);
  }

  all(): Member[] {
    return [...this.#members.values()];
  }
}

/** A member as the dashboard lists it. */
export function nodeStatus(member: Member): NodeStatus {
  const { nodeId, name, task, state, examplesPerSecond, updates, rejected, probes, fault } = member;
  const { backend, device } = member.capabilities;
  return { nodeId, name, task, backend, device, state, examplesPerSecond, updates, rejected, probes, fault };
}
