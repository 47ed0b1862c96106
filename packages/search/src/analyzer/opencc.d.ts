/** The package exports each of its dictionaries and describes none: `from to1 to2|from to|…`, the usual one first. */
declare module 'opencc-js/dict/TSCharacters' {
  const dictionary: string;
  export default dictionary;
}
