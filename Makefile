# The two commands: `make demo` and `make test`. Everything runs from .venv/, which `make setup` makes.
.PHONY: setup demo run test soak conformance lint bench screenshots bundle installer try-installer lock schemas catalogue

python := .venv/bin/python

setup:
	@sh packaging/setup.sh

demo: setup
	@$(python) packaging/demo.py

run: setup
	@.venv/bin/latchkey

# In the order of tests/conftest.py. A hang that no signal ends, inside Qt or in a lock, is ended with every thread's stack.
test: setup
	@$(python) -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0 \
		-o faulthandler_timeout=660 -o faulthandler_exit_on_timeout=true

soak: export LATCHKEY_SOAK = 1
soak: setup
	@$(python) -m pytest -q

# What the accounts' contracts make of our grants. LATCHKEY_CLONE_FROM=URL: the published code, copied from that chain.
conformance: setup
	@$(python) -m pytest -q tests/chain tests/devnet

lint: setup
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .
	@$(python) -m mypy
	@.venv/bin/lint-imports --no-cache

bench: setup
	@$(python) -m tests.bench

# Pictures of the program in build/screenshots/, light and dark, 100 to 200 percent; the README's are made of five of them.
screenshots: setup
	@$(python) -m tests.gui.pictures
	@$(python) -m tests.gui.tour

bundle: export PYTHONHASHSEED = 0
bundle: setup
	@$(python) -m PyInstaller --noconfirm --log-level WARN --distpath dist --workpath build/pyinstaller build.spec
	@dist/latchkey/latchkey --self-test

# The Debian package, from the bundle; `make try-installer` installs, starts and removes it in a bare root.
installer: bundle
	@$(python) packaging/installer.py

try-installer:
	@sh packaging/try_installer.sh

lock: setup
	@.venv/bin/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" --python-version 3.11 \
		--extra dev pyproject.toml --output-file requirements.lock

# Every sentence of the program, for translators; English needs none.
catalogue: setup
	@$(python) packaging/catalogue.py

# The JSON schemas for dApps, from the models that read what dApps send.
schemas: setup
	@$(python) packaging/schemas.py
