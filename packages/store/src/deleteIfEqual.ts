import { loadScript } from '@ruyi/redis';

/** Deletes a key if it still holds what its owner wrote. */
export const deleteIfEqual = loadScript(import.meta.url, 'delete-if-equal');
