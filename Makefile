# Needs Python (3.11 or newer) and Java (17); everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Older Sparks that the package works with; their versions are in tests/spark/versions/.
SPARKS := 3.5 4.0
SPARK_TESTS := tests/spark tests/test_accessor.py tests/test_tasks.py tests/engine/test_scorer.py
SPARK_TESTS += tests/test_head_accessor.py tests/engine/test_row_labels.py
SPARK_TESTS += tests/engine/test_annotation.py tests/engine/test_heads.py
SPARK_TESTS += sparknlp_zs/spark sparknlp_zs/accessor.py
# pyarrow 16 cannot cast strings to string_view; Spark gives none.
SPARK_TESTS += --deselect 'tests/engine/test_scorer.py::test_arrow_text_types'

# pyspark.pandas 4.3 cannot be imported with the pandas of constraints.txt: this one takes its place.
PANDAS := pandas==3.0.*
PANDAS_FOLDER := $(CURDIR)/.venvs/pandas-for-spark
PANDAS_TESTS := tests/spark/test_pandas_on_spark.py sparknlp_zs/spark/pandas.py
PANDAS_PATH := $(PANDAS_FOLDER)$(if $(PYTHONPATH),:$(PYTHONPATH))

.PHONY: demo test test-pandas-on-spark test-spark-versions lint format outputs bench clean

demo: $(READY)
	$(BIN)/python -W ignore -m sparknlp_zs.demo

test: $(READY)
	$(BIN)/python -m pytest
	$(MAKE) test-pandas-on-spark

# The import comes first because the tests are skipped where it fails.
test-pandas-on-spark: $(PANDAS_FOLDER)/.ready
	PYTHONPATH=$(PANDAS_PATH) $(BIN)/python -W ignore -c 'import pyspark.pandas'
	PYTHONPATH=$(PANDAS_PATH) $(BIN)/python -m pytest $(PANDAS_TESTS)

$(PANDAS_FOLDER)/.ready: | $(READY)
	$(BIN)/python -m pip install --quiet --no-deps --upgrade --target $(@D) '$(PANDAS)'
	touch $@

# Not in CI: an environment of about 2 GB for each version, in .venvs.
test-spark-versions: $(SPARKS:%=test-spark-%)

test-spark-%: .venvs/spark-%/.ready
	.venvs/spark-$*/bin/python -m pytest $(SPARK_TESTS)

.venvs/spark-%/.ready: tests/spark/versions/%.txt pyproject.toml
	test -d $(@D) || $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --upgrade pip
	$(@D)/bin/python -m pip install --quiet --constraint $< --editable '.[spark]' hypothesis psutil 'pytest>=8'
	touch $@

.PRECIOUS: .venvs/spark-%/.ready

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Pages whose examples the tests run, but for the one that needs another pandas.
PAGES := README.md docs/labels.md docs/many-labels.md docs/spark-nlp.md docs/spark-streaming.md

# Run the notebooks and the pages' examples again and store their outputs.
outputs: $(READY)
	$(BIN)/python notebooks/store_outputs.py
	PYSPARK_PYTHON=$(CURDIR)/$(BIN)/python $(BIN)/python -W ignore docs/store_outputs.py $(PAGES)

# Against every peer; BENCH='--quick' for minutes instead of an hour. Wants a quiet machine.
bench: $(READY)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[bench]'
	$(BIN)/python -m benchmarks $(BENCH)

$(READY): pyproject.toml constraints.txt
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) .venvs build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -rf spark-warehouse artifacts
