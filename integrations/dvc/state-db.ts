import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import type { FileDigest } from '../../ml/hashing/digest';

type Database = InstanceType<typeof DatabaseSync>;

/** What tells, without reading it, that a file is as it was. */
export interface FileStamp {
  sizeBytes: number;
  mtimeMs: number;
  ino: number;
}

/** Hashes of a directory; see `treeSha256` and `manifestHash`. */
export interface TreeDigest {
  /** With `.dir`. */
  md5: string;
  sha256: string;
  sizeBytes: number;
  nfiles: number;
}

/** Of the tables below; another one on disk is thrown away, as all of it can be computed again. */
const SCHEMA_VERSION = 1;

const SCHEMA = `
  create table if not exists file (
    path text primary key, size real, mtime real, ino real, md5 blob, sha256 blob
  ) without rowid;
  create table if not exists tree (
    path text primary key, fingerprint text, md5 text, sha256 text, size real, nfiles real
  ) without rowid;
  pragma user_version = ${SCHEMA_VERSION};`;

/**
 * Remembers the hashes of files by (path, size, mtime, inode), and of directories by a fingerprint of all of theirs,
 * so that what did not change is not read again. SQLite in WAL mode: several processes may use it at once.
 *
 * A cache and nothing more: a file that is no database, or of another version, is replaced; where none can be
 * written, it lives in memory; what a disk that fills up has no room for is forgotten.
 */
export class StateDb {
  private constructor(private readonly db: Database) {}

  static open(path: string): StateDb {
    try {
      mkdirSync(dirname(path), { recursive: true });
      return new StateDb(prepared(path) ?? fresh(path));
    } catch {
      // Read-only, or held by somebody for seconds.
      return StateDb.inMemory();
    }
  }

  static inMemory(): StateDb {
    const db = new DatabaseSync(':memory:');
    db.exec(SCHEMA);
    return new StateDb(db);
  }

  /** Paths are absolute. */
  file(path: string, stamp: FileStamp): FileDigest | undefined {
    const row = this.db.prepare('select * from file where path = ?').get(path) as FileRow | undefined;
    return row && matches(row, stamp) ? digestOf(row) : undefined;
  }

  /** Everything known below a folder, by path below it; for the caller to compare stamps. */
  filesBelow(folder: string): Map<string, { stamp: FileStamp; digest: FileDigest }> {
    const known = new Map<string, { stamp: FileStamp; digest: FileDigest }>();
    // '0' is the character after '/'.
    const query = this.db.prepare('select * from file where path >= ? and path < ?');
    for (const row of query.iterate(`${folder}/`, `${folder}0`) as Iterable<FileRow>) {
      known.set(row.path.slice(folder.length + 1), {
        stamp: { sizeBytes: row.size, mtimeMs: row.mtime, ino: row.ino },
        digest: digestOf(row),
      });
    }
    return known;
  }

  saveFiles(files: Iterable<{ path: string; stamp: FileStamp; digest: FileDigest }>): void {
    this.transaction(() => {
      const insert = this.db.prepare('insert or replace into file values (?, ?, ?, ?, ?, ?)');
      for (const { path, stamp, digest } of files) {
        insert.run(
          path,
          stamp.sizeBytes,
          stamp.mtimeMs,
          stamp.ino,
          Buffer.from(digest.md5, 'hex'),
          Buffer.from(digest.sha256, 'hex'),
        );
      }
    });
  }

  forgetFiles(paths: Iterable<string>): void {
    this.transaction(() => {
      const remove = this.db.prepare('delete from file where path = ?');
      for (const path of paths) remove.run(path);
    });
  }

  tree(path: string, fingerprint: string): TreeDigest | undefined {
    const row = this.db.prepare('select * from tree where path = ?').get(path) as TreeRow | undefined;
    if (row?.fingerprint !== fingerprint) return undefined;
    return { md5: row.md5, sha256: row.sha256, sizeBytes: row.size, nfiles: row.nfiles };
  }

  saveTree(path: string, fingerprint: string, digest: TreeDigest): void {
    this.transaction(() => {
      this.db
        .prepare('insert or replace into tree values (?, ?, ?, ?, ?, ?)')
        .run(path, fingerprint, digest.md5, digest.sha256, digest.sizeBytes, digest.nfiles);
    });
  }

  close(): void {
    this.db.close();
  }

  /** What a full or read-only disk has no room for is not remembered: entries go by stamps, so that old ones mislead nobody. */
  private transaction(work: () => void): void {
    try {
      this.db.exec('begin immediate');
      work();
      this.db.exec('commit');
    } catch (error) {
      this.rollBack();
      if (!/disk is full|readonly|disk I\/O|unable to open/i.test((error as Error).message)) throw error;
    }
  }

  /** Unless SQLite has done it itself. */
  private rollBack(): void {
    try {
      this.db.exec('rollback');
    } catch {
      // There is no transaction any more.
    }
  }
}

interface FileRow {
  path: string;
  size: number;
  mtime: number;
  ino: number;
  md5: Uint8Array;
  sha256: Uint8Array;
}

interface TreeRow {
  fingerprint: string;
  md5: string;
  sha256: string;
  size: number;
  nfiles: number;
}

function matches(row: FileRow, stamp: FileStamp): boolean {
  return row.size === stamp.sizeBytes && row.mtime === stamp.mtimeMs && row.ino === stamp.ino;
}

function digestOf(row: FileRow): FileDigest {
  return {
    md5: Buffer.from(row.md5).toString('hex'),
    sha256: Buffer.from(row.sha256).toString('hex'),
    sizeBytes: row.size,
  };
}

function tune(db: Database): void {
  // Lost writes after a power failure only cost a second hashing.
  db.exec('pragma busy_timeout = 5000; pragma journal_mode = wal; pragma synchronous = off;');
}

/** The database at `path`, with our tables; null when there is something else. */
function prepared(path: string): Database | null {
  const db = new DatabaseSync(path);
  try {
    tune(db);
    const { user_version: version } = db.prepare('pragma user_version').get() as { user_version: number };
    if (version === 0) db.exec(`begin immediate; ${SCHEMA} commit;`);
    if (version === 0 || version === SCHEMA_VERSION) return db;
  } catch (error) {
    if (!/not a database|malformed/i.test((error as Error).message)) {
      db.close();
      throw error;
    }
  }
  db.close();
  return null;
}

function fresh(path: string): Database {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
  const db = new DatabaseSync(path);
  try {
    tune(db);
    db.exec(SCHEMA);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
