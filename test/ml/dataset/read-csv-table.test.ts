import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { RetrainError } from '../../../contracts/errors';
import { namesOf, type ColumnChoice } from '../../../ml/dataset/column-plan';
import { readHeader } from '../../../ml/dataset/header-line';
import { textAt } from '../../../ml/dataset/raw-table';
import { readCsvTable } from '../../../ml/dataset/read-csv-table';

/** A table as the tests look at it. */
interface Table {
  features: string[];
  target: string | undefined;
  columns: number[][];
  labels: (string | undefined)[];
}

interface Options extends ColumnChoice {
  allowMissing: boolean;
}

const OPTIONS: Options = { target: 'y', drop: [], rename: {}, allowMissing: true };

async function readTable(source: Readable | string, { allowMissing, ...choice }: Options): Promise<Table> {
  const { table, plan } = await readCsvTable([{ source, file: 'd.csv' }], 'd.csv', { choice, allowMissing });
  return {
    features: namesOf(plan, 'feature'),
    target: namesOf(plan, 'target')[0],
    columns: table.columns.flatMap((column) => (column.kind === 'number' ? [[...column.values]] : [])),
    labels: table.columns.flatMap((column) =>
      column.kind === 'text' ? Array.from({ length: table.rows }, (_, row) => textAt(column, row)) : [],
    ),
  };
}

const read = (text: string | Buffer, options: Partial<Options> = {}): Promise<Table> =>
  readTable(Readable.from([Buffer.from(text)]), { ...OPTIONS, ...options });

async function problem(reading: Promise<unknown>): Promise<string> {
  const error = await reading.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RetrainError);
  const { code, message } = error as RetrainError;
  expect(message).not.toContain('\n');
  return `${code} ${message}`;
}

describe('a readable table', () => {
  const plain = 'a,b,y\n1,2.5,x\n-3,4e2,z\n';
  const expected = { features: ['a', 'b'], target: 'y', labels: ['x', 'z'] };

  it.each([
    ['as it is', plain],
    ['with a byte order mark', `\ufeff${plain}`],
    ['with CRLF', plain.replaceAll('\n', '\r\n')],
    ['with CR only', plain.replaceAll('\n', '\r')],
    ['with mixed line ends', 'a,b,y\n1,2.5,x\r\n-3,4e2,z'],
    ['without a last line end', plain.trimEnd()],
    ['with blank lines', `a,b,y\n\n1,2.5,x\n\n\n-3,4e2,z\n\n`],
    ['with quoted cells', '"a","b","y"\n"1","2.5","x"\n"-3","4e2","z"\n'],
    ['with blanks around', 'a, b ,y\n 1, 2.5 , x\n-3,4e2 ,z \n'],
  ])('%s reads the same', async (_, text) => {
    const table = await read(text);
    expect(table).toMatchObject(expected);
    expect(table.columns).toEqual([
      [1, -3],
      [2.5, 400],
    ]);
  });

  it('may arrive one byte at a time', async () => {
    const bytes = [...Buffer.from('\ufeffa,b,y\r\n1,2.5,é🙂\r\n-3,4e2,z\r\n')].map((byte) =>
      Buffer.from([byte]),
    );
    const table = await readTable(Readable.from(bytes), OPTIONS);
    expect(table.labels).toEqual(['é🙂', 'z']);
    expect(table.columns).toEqual([
      [1, -3],
      [2.5, 400],
    ]);
  });

  it('may hold a quote inside a cell that is not quoted', async () => {
    const table = await read('a,y\n1,5" pipe\n');
    expect(table.labels).toEqual(['5" pipe']);
  });

  it('may hold commas, quotes and line breaks in quoted labels', async () => {
    const table = await read('a,y\n1,"big, ""red"""\n2,"two\r\nlines"\n');
    expect(table.labels).toEqual(['big, "red"', 'two\nlines']);
  });

  it.each(['', 'NA', 'NaN', 'nan', 'N/A', 'null', 'NULL', 'None', ' '])(
    'takes %j as missing',
    async (cell) => {
      const table = await read(`a,b,y\n${cell},1,x\n`);
      expect(table.columns).toEqual([[Number.NaN], [1]]);
    },
  );

  it('drops and renames by the names in the file', async () => {
    const table = await read('id,a,b,class\n7,1,2,x\n', {
      target: 'y',
      drop: ['id'],
      rename: { class: 'y', a: 'alpha' },
    });
    expect(table).toMatchObject({ features: ['alpha', 'b'], target: 'y', labels: ['x'] });
  });

  it('does not read what is dropped as numbers', async () => {
    await expect(read('name,a,y\nAnna,1,x\n', { drop: ['name'] })).resolves.toMatchObject({
      features: ['a'],
    });
  });

  it('may have numbers as names when the target is among them', async () => {
    await expect(read('0,1,y\n5,6,x\n')).resolves.toMatchObject({ features: ['0', '1'] });
  });
});

describe('an unreadable table gives one line with file, line and column', () => {
  it.each<[string, string | Buffer, string, Partial<Options>?]>([
    ['an empty file', '', 'd.csv:1: the file is empty'],
    ['blank lines only', '\n\n\n', 'd.csv:1: the file is empty'],
    ['a header only', 'a,b,y\n', 'd.csv:2: there is a header but no row'],
    [
      'no header',
      '5.1,3.5,setosa\n4.9,3.0,setosa\n',
      'd.csv:1: the header is missing: column 1 of line 1 is 5.1',
    ],
    ['no header, integers', '1,2,0\n3,4,1\n', 'd.csv:1: the header is missing: column 1 of line 1 is 1'],
    ['an unnamed column', 'a,,y\n1,2,x\n', 'd.csv:1: column 2 of 3 has no name'],
    ['an unnamed index', ',a,y\n0,2,x\n', 'd.csv:1: column 1 has no name, so it may be a row index; drop it'],
    ['twice the same name', 'a,a,y\n1,2,x\n', 'd.csv:1: columns 1 and 2 are both called "a"'],
    [
      'a short row',
      'a,b,y\n1,2,x\n1,x\n',
      'd.csv:3: the row has 2 cells, expected 3 as in the header; column "y"',
    ],
    ['a long row', 'a,b,y\n1,2,x,9\n', 'd.csv:2: the row has 4 cells, expected 3 as in the header; cell 4'],
    [
      'text among numbers',
      'a,b,y\n1,2,x\n1,tall,x\n',
      'd.csv:3: column "b": "tall" is text, expected a number',
    ],
    ['hexadecimal', 'a,y\n0x1f,x\n', 'd.csv:2: column "a": "0x1f" is text'],
    ['an infinity', 'a,y\n-inf,x\n', 'd.csv:2: column "a": "-inf" is infinite'],
    [
      'a number past float32',
      'a,y\n1e308,x\n',
      'd.csv:2: column "a": "1e308" is beyond the range of float32',
    ],
    [
      'a number past float64',
      'a,y\n1e999,x\n',
      'd.csv:2: column "a": "1e999" is beyond the range of float32',
    ],
    ['a missing label', 'a,y\n1,x\n2,\n', 'd.csv:3: column "y": the target is missing'],
    [
      'a missing target column',
      'a,b,speceis\n1,2,x\n',
      'd.csv:1: there is no column "species", which data.target names; the columns are a, b, speceis; did you mean "speceis"?',
      { target: 'species' },
    ],
    [
      'semicolons',
      'a;b;y\n1;2;x\n',
      'd.csv:1: there is no column "y", which data.target names; the columns are a;b;y; its cells are separated by ";"',
    ],
    [
      'a dropped column that is not there',
      'a,y\n1,x\n',
      'd.csv:1: there is no column "id", which preprocess.drop names',
      { drop: ['id'] },
    ],
    [
      'a renamed column that is not there',
      'a,y\n1,x\n',
      'd.csv:1: there is no column "id", which preprocess.rename names',
      { rename: { id: 'k' } },
    ],
    [
      'a rename onto another',
      'a,b,y\n1,2,x\n',
      'd.csv:1: preprocess.rename makes two columns called "b"',
      { rename: { a: 'b' } },
    ],
    ['a dropped target', 'a,y\n1,x\n', 'd.csv:1: preprocess.drop holds the target "y"', { drop: ['y'] }],
    [
      'a feature called as an output of the model',
      'a,label,y\n1,2,x\n',
      'd.csv:1: column 2 is called "label", as an output of the model is',
      {},
    ],
    [
      'nothing but the target',
      'a,y\n1,x\n',
      'd.csv:1: no feature is left besides the target "y"',
      { drop: ['a'] },
    ],
    [
      'a missing number where none may be',
      'a,b,y\n1,2,x\n1,NA,x\n',
      'd.csv:3: column "b": the value is missing ("NA")',
      { allowMissing: false },
    ],
    [
      'a quote left open',
      'a,y\n1,"x\n2,z\n',
      'd.csv:2: column "y": the row that starts here has a quote that is never closed',
    ],
    [
      'Latin-1',
      Buffer.from('a,y\n1,x\n2,caf\xe9\n', 'latin1'),
      'd.csv:3: column "y" holds bytes that are not UTF-8',
    ],
    [
      'a cut UTF-8 sequence',
      Buffer.from([...Buffer.from('a,y\n1,'), 0xe2, 0x82]),
      'd.csv:2: column "y" holds bytes that are not UTF-8',
    ],
    ['a NUL byte', 'a,y\n1,\0x\n', 'd.csv:2: holds a NUL byte'],
    ['UTF-16', Buffer.from('\ufeffa,y\n1,x\n', 'utf16le'), 'd.csv:1: is UTF-16 text'],
    ['gzip', gzipSync('a,y\n1,x\n'), 'd.csv:1: is gzip-compressed'],
  ])('%s', async (_, text, message, options = {}) => {
    expect(await problem(read(text, options))).toContain(`DATA_INVALID ${message}`);
  });

  it('a file that is not there', async () => {
    expect(await problem(readTable('no/such.csv', OPTIONS))).toContain(
      'DATA_NOT_FOUND d.csv: there is no such file',
    );
  });

  it('counts lines as an editor does, across quoted line breaks and blank lines', async () => {
    const text = 'a,y\r\n1,"two\r\nlines"\r\n\r\nbad,x\r\n';
    expect(await problem(read(text))).toContain('d.csv:5: column "a"');
    expect(await problem(read('y,a\n"p\nq",1\n"r\ns",bad\n'))).toContain('d.csv:5: column "a"');
  });

  it('shows no more than 40 characters of a cell', async () => {
    expect((await problem(read(`a,y\n${'w'.repeat(5000)},x\n`))).length).toBeLessThan(200);
  });
});

describe('endless garbage', () => {
  /** Gigabytes that are never all in memory; counts what was taken. */
  function endless(piece: Buffer, first = ''): { stream: Readable; taken: () => number } {
    let taken = 0;
    function* chunks(): Generator<Buffer> {
      if (first !== '') yield Buffer.from(first);
      while (taken < 3 * 1024 ** 3) {
        taken += piece.length;
        yield piece;
      }
    }
    return {
      stream: Readable.from(chunks(), { objectMode: false, highWaterMark: 65536 }),
      taken: () => taken,
    };
  }

  it.each([
    ['one letter', 'x', '', 'd.csv:1: the line is longer than 4 MiB'],
    ['commas', ',', '', 'd.csv:1: the line is longer than 4 MiB'],
    [
      'an open quote',
      'x\n',
      'a,y\n1,"',
      'd.csv:2: column "y": the row that starts here is longer than 4 MiB',
    ],
    ['zeros', '\0', '', 'd.csv:1: holds a NUL byte'],
  ])('of %s is refused after a few MiB, and the source is closed', async (_, letter, first, message) => {
    const { stream, taken } = endless(Buffer.alloc(65536, letter), first);
    expect(await problem(readTable(stream, OPTIONS))).toContain(message);
    expect(taken()).toBeLessThan(16 * 1024 * 1024);
    expect(stream.destroyed).toBe(true);
  });

  it('of random bytes is refused at once', async () => {
    const bytes = Buffer.from(
      Array.from({ length: 65536 }, (_, i) => (((i * 2654435761) >>> 13) & 0xff) | 0x80),
    );
    const { stream, taken } = endless(bytes);
    expect(await problem(readTable(stream, OPTIONS))).toContain('DATA_INVALID d.csv:1:');
    expect(taken()).toBeLessThan(16 * 1024 * 1024);
  });
});

describe('the header alone', () => {
  it('is read without reading the rest', async () => {
    let taken = 0;
    function* rows(): Generator<Buffer> {
      yield Buffer.from('a,b,y\n');
      for (;;) {
        taken++;
        yield Buffer.from('1,2,x\n'.repeat(1000));
      }
    }
    await expect(readHeader(Readable.from(rows()), 'd.csv')).resolves.toEqual(['a', 'b', 'y']);
    expect(taken).toBeLessThan(100);
  });

  it('is read from a path', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'header-'));
    try {
      writeFileSync(join(folder, 'd.csv'), 'a,b,y\n1,2,x\n');
      await expect(readHeader(join(folder, 'd.csv'), 'd.csv')).resolves.toEqual(['a', 'b', 'y']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
