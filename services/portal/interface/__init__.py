"""The portal's JSON interface as one document: what each route below `/v1` takes and answers, generated from the code."""
