"""pack.py BINARY ZIP: writes the layer's zip, the same bytes for the same binary, and fails over the size budget."""

import pathlib
import shutil
import sys
import zipfile

# The platform unpacks a layer at every cold start; design budget of the extension's binary.
BINARY_BYTES_MAX = 5_000_000
# What tests set faults with (extension/src/fault.rs): a build that has it is no release.
NEVER_SHIPPED = b"LIMELIGHT_FAULT_AT"
# The earliest time that a zip can say: a build's own time would change its bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)


def main(binary, archive):
    binary, archive = pathlib.Path(binary), pathlib.Path(archive)
    size = binary.stat().st_size
    if size > BINARY_BYTES_MAX:
        sys.exit(f"{binary.name} has {size:,} bytes, the budget is {BINARY_BYTES_MAX:,}: see extension/README.md")
    if NEVER_SHIPPED in binary.read_bytes():
        sys.exit(f"{binary.name} has {NEVER_SHIPPED.decode()} in it: it was built with debug assertions")
    archive.parent.mkdir(parents=True, exist_ok=True)
    # Under extensions/ the platform finds it at /opt/extensions/ and starts it.
    # The wrapper lands at /opt/limelight-wrapper, for AWS_LAMBDA_EXEC_WRAPPER.
    wrapper = pathlib.Path(__file__).with_name("limelight-wrapper")
    part = archive.with_suffix(".part")
    with zipfile.ZipFile(part, "w", compresslevel=9) as layer:
        for path, name in [(binary, f"extensions/{binary.name}"), (wrapper, wrapper.name)]:
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = 0o100755 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            layer.writestr(entry, path.read_bytes())
    part.replace(archive)
    # A running extension may be executed from there: its file is replaced, not written into.
    shutil.copy(binary, part)
    part.replace(archive.parent / binary.name)
    print(f"{archive}: {archive.stat().st_size:,} bytes, extension {size:,} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
