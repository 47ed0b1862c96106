import { isTransient } from '@ruyi/redis';

/**
 * Reads several items at once. If that fails because one of them is damaged, reads each half by itself, and so on, until
 * only the damaged items are left out.
 * @param onDamaged is told of each item that is left out
 * @returns what `read` returned for the readable items
 * @throws what `read` throws while Redis cannot serve
 */
export async function readReadable<Item, Value>(
  items: Item[],
  read: (items: Item[]) => Promise<Value[]>,
  onDamaged: (item: Item, error: unknown) => void,
): Promise<Value[]> {
  if (items.length === 0) return [];
  try {
    return await read(items);
  } catch (error) {
    if (isTransient(error)) throw error;
    const [only] = items;
    if (items.length === 1 && only !== undefined) {
      onDamaged(only, error);
      return [];
    }
    const middle = Math.ceil(items.length / 2);
    const first = await readReadable(items.slice(0, middle), read, onDamaged);
    return [...first, ...(await readReadable(items.slice(middle), read, onDamaged))];
  }
}
