/** Uploads a part of a broadcast's list. @param address of the API @param body a uid a line */
export async function putPart(address: string, no: string, part: number, body: Buffer | string): Promise<void> {
  const answer = await fetch(`${address}/broadcasts/${no}/recipients/${part}`, { method: 'PUT', body });
  if (answer.status !== 200) throw new Error(`part ${part}: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}
