#!/usr/bin/env python3
"""check_openapi.py DOCUMENT OBSERVED: the OpenAPI document against the route table and against answers of the server.

OBSERVED is JSON: {"routes": [{method, path, needs, scope, parameters}], "answers": [{method, path, status, type, body}]}.
"""
import json
import sys

import yaml
from jsonschema import Draft202012Validator, RefResolver

with open(sys.argv[1], encoding="utf-8") as file:
    document = yaml.safe_load(file)
with open(sys.argv[2], encoding="utf-8") as file:
    observed = json.load(file)
resolver = RefResolver.from_schema(document)
problems = []


def resolved(node):
    return resolver.resolve(node["$ref"])[1] if "$ref" in node else node


def operation(method, path):
    return document["paths"].get(path, {}).get(method.lower())


def check_route(route):
    where = f"{route['method']} {route['path']}"
    described = operation(route["method"], route["path"])
    if described is None:
        return problems.append(f"{where} is not described")
    if described["x-role"] != route["needs"]:
        problems.append(f"{where} needs {route['needs']}, and is described with {described['x-role']}")
    if described.get("x-scope", "") != route["scope"]:
        problems.append(f"{where} takes tokens of the scope '{route['scope']}', and is described with '{described.get('x-scope', '')}'")
    if route["needs"] == "nothing" and described.get("security") != []:
        problems.append(f"{where} is open to all: say security: []")
    names = sorted(resolved(one)["name"] for one in described.get("parameters", []))
    if names != sorted(route["parameters"]):
        problems.append(f"{where} takes {route['parameters']}, and is described with {names}")
    if route["method"] == "POST" and "requestBody" not in described:
        problems.append(f"{where} has no requestBody")


def check_answer(answer):
    where = f"{answer['method']} {answer['path']} -> {answer['status']}"
    described = operation(answer["method"], answer["path"])["responses"]
    response = described.get(str(answer["status"]), described.get("default"))
    if response is None:
        return problems.append(f"{where} is not described")
    content = resolved(response).get("content", {})
    if not content and not answer["type"] and not answer["body"]:
        return
    kind = answer["type"].split(";")[0]
    if kind not in content:
        return problems.append(f"{where} is {kind}, described is {list(content)}")
    if "json" in kind:
        schema = content[kind]["schema"]
        for error in Draft202012Validator(schema, resolver=resolver).iter_errors(json.loads(answer["body"])):
            problems.append(f"{where}: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}")


for name, schema in document["components"]["schemas"].items():
    Draft202012Validator.check_schema(schema)
for one in observed["routes"]:
    check_route(one)
known = {(one["method"].lower(), one["path"]) for one in observed["routes"]}
for path, methods in document["paths"].items():
    problems += [f"{method} {path} is described, and there is no such route" for method in methods if (method, path) not in known]
if not problems:
    for one in observed["answers"]:
        check_answer(one)
for problem in problems:
    print(problem)
print(f"{len(observed['routes'])} routes, {len(observed['answers'])} answers, {len(problems)} problems")
sys.exit(1 if problems else 0)
