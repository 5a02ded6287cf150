"""A trainer with scikit-learn: hashed n-grams and linear models, seconds on a laptop.

The corpora of a job share a representation: the singular vectors of all their training texts together. So a
partner changes what the target's classifier sees, and nothing else.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import Ridge, SGDClassifier
from sklearn.preprocessing import normalize

WINDOW = 2  # tokens on each side of the one that is tagged


def rows_of(path: str) -> list[dict]:
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def texts_of(row: dict) -> list[str]:
    """The texts to classify: one per row; for tagging, one per token with its neighbors."""
    if "tokens" in row:
        padded = [""] * WINDOW + [token.lower() for token in row["tokens"]] + [""] * WINDOW
        around = (padded[i : i + 2 * WINDOW + 1] for i in range(len(row["tokens"])))
        return [" ".join(f"{i}_{token}" for i, token in enumerate(tokens) if token) for tokens in around]
    if "text" in row:
        return [row["text"]]
    left, right = row["text_a"].lower().split(), row["text_b"].lower().split()
    both = [f"both_{word}" for word in sorted(set(left) & set(right))]
    return [" ".join([*(f"a_{word}" for word in left), *(f"b_{word}" for word in right), *both])]


def golds_of(row: dict) -> list:
    """The gold value of each of the row's texts."""
    if "tags" in row:
        return row["tags"]
    return [next(row[key] for key in ("label", "score", "labels") if key in row)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--job", type=Path)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    job = json.loads(asked.job.read_text(encoding="utf-8"))
    settings = job["settings"]
    hashed = HashingVectorizer(n_features=2**14, ngram_range=(1, 2), alternate_sign=False)

    train = {corpus["name"]: rows_of(corpus["train"]) for corpus in job["corpora"]}
    together = [text for rows in train.values() for row in rows for text in texts_of(row)]
    shared = TruncatedSVD(settings["dimensions"], random_state=job["seed"]).fit(hashed.transform(together))

    def features(rows: list[dict]) -> csr_matrix:
        found = hashed.transform([text for row in rows for text in texts_of(row)])
        return hstack([found, csr_matrix(normalize(shared.transform(found)))]).tocsr()

    (asked.out / "predictions").mkdir()
    for corpus in job["corpora"]:
        rows, tested = train[corpus["name"]], rows_of(corpus["test"])
        # a bootstrap sample by the corpus's own seed, the same whatever its partners are
        draw = np.random.default_rng(corpus["seed"]).integers(len(rows), size=len(rows))
        rows = [rows[i] for i in draw]
        golds = [gold for row in rows for gold in golds_of(row)]
        answers = iter(predicted(features(rows), golds, features(tested), corpus, settings))
        with open(asked.out / "predictions" / f"{corpus['name']}.jsonl", "w", encoding="utf-8") as file:
            for row in tested:
                own = [next(answers) for _ in texts_of(row)]
                answer = own if corpus["kind"] == "tagging" else own[0]
                print(json.dumps({"id": row["id"], "predicted": answer}), file=file)


def predicted(inputs: csr_matrix, golds: list, tested: csr_matrix, corpus: dict, settings: dict) -> list:
    """Fit a linear model and predict."""
    if corpus["kind"] == "similarity":
        return Ridge(alpha=1.0).fit(inputs, golds).predict(tested).tolist()
    if corpus["kind"] == "multilabel":
        columns = [
            predicted(inputs, [label in gold for gold in golds], tested, {**corpus, "kind": "one"}, settings)
            for label in corpus["labels"]
        ]
        return [[c for c, is_it in zip(corpus["labels"], row) if is_it] for row in zip(*columns)]
    if len(set(golds)) == 1:
        return golds[:1] * tested.shape[0]
    model = SGDClassifier(
        loss="log_loss", alpha=settings["alpha"], max_iter=20, tol=None, random_state=corpus["seed"]
    )
    return model.fit(inputs, np.array(golds)).predict(tested).tolist()


if __name__ == "__main__":
    main()
