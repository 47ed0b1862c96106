/** The payload of the examples: {"type":1,"content":"hello world"} */
export const HELLO = 'eyJ0eXBlIjoxLCJjb250ZW50IjoiaGVsbG8gd29ybGQifQ==';
