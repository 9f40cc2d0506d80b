PYTHON ?= python3
BIN := .venv/bin
DEMO := outputs/demo
MODEL := models/stashed/cifar10_deep.keras

.PHONY: setup demo test test-slow test-lowest check format figures notebook chapters site bench bench-defaults bench-peers bench-tricks bench-importance bench-filters bench-page fuzz page check-page clean bench-robustness bench-transfer bench-depth

setup: .venv/installed

.venv/installed: requirements.txt tests/requirements.txt
.venv-bench/installed: requirements.txt bench/requirements.txt
.venv-fuzz/installed: requirements.txt fuzz/requirements.txt
.venv/installed .venv-bench/installed .venv-fuzz/installed:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "$(PYTHON) is not Python 3.10 to 3.13: choose one by make PYTHON=python3.12 …"; exit 2; }
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check $(addprefix -r ,$^)
	touch $@

demo: setup
	rm -rf $(DEMO)
	$(BIN)/python train.py --arch basic --limit 5000 --epochs 2 --name short_run --out $(DEMO)
	$(BIN)/python visualize_results.py --model $(MODEL) --out $(DEMO)
	$(BIN)/python visualize_pixel_importance.py --model $(MODEL) --out $(DEMO)
	$(BIN)/python visualize_hidden_layer_activation.py --model $(MODEL) --out $(DEMO)
	$(BIN)/python visualize_hidden_layer_output.py --model $(MODEL) --out $(DEMO)
	@echo; echo "The figures:"; ls $(DEMO)/*.png

# One test at a time to each of two processes, and the slow ones first: at the end neither waits for the other.
PYTEST := -m pytest -n 2 --maxschedchunk 1

# TensorFlow gets one thread in each: less waiting for each other.
test: setup
	TF_NUM_INTRAOP_THREADS=1 $(BIN)/python $(PYTEST) -m "not slow"

# Those that take more than ten seconds, with all threads: every command of the documents, full disks, signals, kills,
# many calls, several devices, the tour and what moves in the page, the site in a browser, the letters of all figures.
test-slow: setup
	$(BIN)/python $(PYTEST) -m slow

# The quick tests, on the lowest versions that requirements.txt allows, but for those to which versions make no
# difference; NumPy's lowest is for Python up to 3.12.
test-lowest: .venv-lowest/installed
	TF_NUM_INTRAOP_THREADS=1 .venv-lowest/bin/python $(PYTEST) -m "not slow and not once"

.venv-lowest/installed: requirements.txt tests/requirements.txt
	$(PYTHON) -m venv $(@D)
	sed -n 's/>=\([0-9.]*\).*/==\1/p' $^ > $(@D)/lowest.txt
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r $(@D)/lowest.txt
	touch $@

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The figures of the README; those of the whole test set and of filters need CIFAR-10, the page's Chromium, the article's
# nothing.
FIGURES := outputs/figures
figures: setup
	$(BIN)/python -m article
	rm -rf $(FIGURES)
	$(BIN)/python visualize_results.py --model $(MODEL) --data cifar10 --examples 9 --out $(FIGURES)
	$(BIN)/python visualize_pixel_importance.py --model $(MODEL) --data samples --indices 3 5 13 11 --out $(FIGURES)
	$(BIN)/python visualize_pixel_importance.py --model $(MODEL) --data samples --indices 3 5 13 --method all --sanity \
		--out $(FIGURES)/all
	$(BIN)/python visualize_hidden_layer_activation.py --model $(MODEL) --data cifar10 --gif --out $(FIGURES)
	$(BIN)/python visualize_hidden_layer_output.py --model $(MODEL) --data samples --indices 11 --channel 5 --out $(FIGURES)
	cp $(addprefix $(FIGURES)/,results.png results_wrong.png results_breakdown.png results_embedding.png \
		results_nearest.png pixel_importance.png hidden_layer_activation.png hidden_layer_activation.gif \
		hidden_layer_output.png hidden_layer_output_03_conv1.png hidden_layer_output_03_conv1_channel5.png) imgs/
	cp $(FIGURES)/all/pixel_importance.png imgs/pixel_importance_all.png
	cp $(FIGURES)/all/pixel_importance_sanity.png imgs/
	$(BIN)/python explore.py --model models/stashed/cifar10_basic.keras --data samples --explained 0 --filters 0 \
		--article . --out $(FIGURES)/page.html
	$(BIN)/python -m article.screenshots $(FIGURES)/page.html  # imgs/explore.png and imgs/explore_phone.png

# docs/notebook.ipynb, with its figures; needs nothing but the clone.
notebook: setup
	$(BIN)/python -m article.notebook

# The chapters of README.md that the page shows beside its views.
chapters: setup
	$(BIN)/python -m article.site.chapters

# The article, the reference and the pages of both networks, for any static host or the disk; without CIFAR-10 the pages
# show the twenty samples.
site: setup
	rm -rf site
	$(BIN)/python -m article.site

# The page that explore.py fills, from its TypeScript; needs Node.js 20 or newer.
page:
	cd page && npm ci --no-audit --no-fund && npm run build
	cp page/dist/index.html cnnvis/explore/page.html

# Whether the arithmetic of the page is right, and the committed page what its source builds.
check-page:
	cd page && npm ci --no-audit --no-fund && npm test && npm run build
	cmp page/dist/index.html cnnvis/explore/page.html || { echo "cnnvis/explore/page.html is not what page/ builds: make page"; exit 2; }

# How near training comes to this machine's ceiling; needs CIFAR-10, and a machine with nothing else to do.
bench: setup
	$(BIN)/python bench/throughput.py
	$(BIN)/python bench/throughput.py --arch basic

# What oneDNN and kept memory bring each script and training; needs CIFAR-10, and a machine with nothing else to do.
bench-defaults: setup
	$(BIN)/python bench/defaults.py --out outputs/defaults.md

# What each trick brings, in short trainings over several seeds: two hours; it resumes where it was interrupted.
bench-tricks: setup
	$(BIN)/python bench/tricks.py --epochs 4 --validation 10000 --seeds 2
	$(BIN)/python bench/tricks.py --epochs 4 --validation 10000 --seeds 2 --arch basic

# How much accuracy the shipped networks lose on worse copies of the test images; needs CIFAR-10.
bench-robustness: setup
	$(BIN)/python bench/robustness.py

# What depth alone brings basic: a quarter of an hour; needs CIFAR-10.
bench-depth: setup
	$(BIN)/python bench/depth.py

# What a trained network to start from brings, on few digits and few photos: a quarter of an hour; needs CIFAR-10.
bench-transfer: setup
	$(BIN)/python bench/transfer.py

# Our trainings beside others', on this machine; needs CIFAR-10, and a machine with nothing else to do.
bench-peers: setup
	$(BIN)/python bench/peers.py --out outputs/peers.md

# Our maps of pixel importance beside others', how right and how fast; needs CIFAR-10, and a machine with nothing else to do.
bench-importance: .venv-bench/installed
	.venv-bench/bin/python bench/faithfulness.py --out outputs/faithfulness.md
	.venv-bench/bin/python bench/occlusion_speed.py --out outputs/occlusion_speed.md
	.venv-bench/bin/python bench/gradient_speed.py --out outputs/gradient_speed.md

# Our images of what filters respond to beside plain ascent's and tf-keras-vis's: how strong, how smooth, how fast, on
# two networks; needs CIFAR-10, and a machine with nothing else to do.
bench-filters: .venv-bench/installed
	.venv-bench/bin/python bench/filters.py --model $(MODEL) --out outputs/filters.md
	.venv-bench/bin/python train.py --arch basic --name filters_basic --out outputs --overwrite
	.venv-bench/bin/python bench/filters.py --model outputs/filters_basic.keras --out outputs/filters_basic.md

# The page of explore.py in Chromium: its size, its first view, its predictions; on a machine with nothing else to do.
bench-page: setup
	$(BIN)/python bench/page.py --model $(MODEL)

# What nobody would write into the files that we read; FUZZ_SECONDS of it a reader.
FUZZ_SECONDS ?= 60
fuzz: .venv-fuzz/installed
	for reader in images cifar10 metadata classes keras hdf5; do \
		.venv-fuzz/bin/python fuzz/readers.py $$reader --seconds $(FUZZ_SECONDS) || exit 1; \
	done

clean:
	rm -rf .venv .venv-bench .venv-lowest .venv-fuzz page/node_modules page/dist outputs site .pytest_cache .ruff_cache .hypothesis
