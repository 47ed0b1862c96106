import { bytes, count, counted, percent } from './formats.ts';
import type { Upload } from './state.ts';
import { h, type JSX } from './vendor/preact.mjs';

const SHOWN = 10;
/** The API gives the reasons of sendbatch, which are WuKongIM's. */
const REASONS: Record<string, string> = { 用户ID不合法: 'is no valid user id', 不存在用户: 'is not registered' };

/** How far the upload of a list is, or what became of it. */
export function UploadReport({ upload }: { upload: Upload }): JSX.Element {
  const { file, sent, size, answer } = upload;
  if (!answer) {
    return (
      <div class="upload">
        <progress max={Math.max(1, size)} value={sent} aria-label={`Upload of ${file}`} />
        <p role="status">
          {sent < size ? `Uploading ${file}: ${percent(sent, size)} of ${bytes(size)}` : `${file} is being read …`}
        </p>
      </div>
    );
  }
  const { accepted, duplicates, invalid, invalid_count } = answer;
  return (
    <div class="upload" role="status">
      <p class="strong">
        {file}: {counted(accepted - duplicates, 'recipient')}
        {duplicates > 0 && `, ${counted(duplicates, 'duplicate')} within it`}
      </p>
      {invalid_count > 0 && (
        <div class="wrong degraded">
          <p>{counted(invalid_count, 'line names', 'lines name')} no recipient and will be left out:</p>
          <ul>
            {invalid.slice(0, SHOWN).map(({ line, uid, reason }) => (
              <li key={line}>
                line {count(line)}: <code>{uid}</code> {REASONS[reason] ?? reason}
              </li>
            ))}
          </ul>
          {invalid_count > SHOWN && <p>… and {count(invalid_count - SHOWN)} more.</p>}
        </div>
      )}
    </div>
  );
}
