import { together } from '../../activities/together';

describe('two things at once', () => {
  test('give what both give', async () => {
    await expect(together(Promise.resolve(1), Promise.resolve('two'))).resolves.toEqual([1, 'two']);
  });

  test('end with the error of one only when the other has ended, too', async () => {
    const order: string[] = [];
    let end = (): void => undefined;
    const other = new Promise<void>((resolve) => (end = resolve));
    const both = together(
      Promise.reject(new Error('the first failed')),
      other.then(() => void order.push('the other ended')),
    ).catch((error: unknown) => void order.push((error as Error).message));
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).toEqual([]);
    end();
    await both;
    expect(order).toEqual(['the other ended', 'the first failed']);
  });

  test('end with an error when both fail, and leave none unheard', async () => {
    await expect(
      together(Promise.reject(new Error('first')), Promise.reject(new Error('second'))),
    ).rejects.toThrow('first');
  });
});
