# Two commands matter: `make demo` and `make test`. Each target is one line; what it needs it installs by itself.

.PHONY: demo test test-engines soak fuzz tidy lint layer sam bench-ingest bench-writers bench-query bench-freshness bench-extension

demo: ; examples/checkout/demo
test: ; tests/run
test-engines: ; tests/engines
soak: ; tests/soak
fuzz: ; tests/fuzz/run
lint: ; cargo fmt --all --check && cargo clippy --locked --workspace --all-targets -- -D warnings
tidy: ; cargo test --locked -p limelight-tests --test tidy
layer: ; layer/build
sam: ; tests/sam
bench-ingest: ; benches/run ingest
bench-writers: ; benches/run writers
bench-query: ; benches/run query
bench-freshness: ; benches/run freshness
bench-extension: ; benches/run extension
