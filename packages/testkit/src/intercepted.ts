/** Stands before a call: may lose, delay or refuse it. */
export type Around = (call: () => Promise<unknown>, method: string, args: unknown[]) => Promise<unknown>;

/** The object, whose methods that `isSeen` names are called through `around`. */
export function intercepted<T extends object>(object: T, isSeen: (method: string) => boolean, around: Around): T {
  return new Proxy(object, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== 'function') return value;
      const method = String(property);
      if (!isSeen(method)) return value.bind(target);
      return (...args: unknown[]) => around(() => Reflect.apply(value, target, args), method, args);
    },
  });
}
