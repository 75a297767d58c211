#!/usr/bin/env python3
"""Starts ministack 1.5.33 with what it leaves out of AWS and our tests are about.

By itself it makes one attempt to invoke a function for SNS and for a schedule, and forgets what failed; it drops what
CloudFormation says of reserved concurrency, and a deployment ends the invocations in progress. Here asynchronous
invocations wait in a queue of their function, are tried again, and end in its failure destination; throttled ones wait;
workers of an older version finish what they do; the lines that the platform writes of a timeout or a crash are written.

Each patch is one function, and LAUNCHER_SKIP=p_drain,p_cfn leaves it out. The settings are ministack's, with
LAUNCHER_ASYNC_WIDTH (threads of a function's queue) and LAUNCHER_THROTTLE_BASE_SECONDS / _MAX_SECONDS.
"""
import contextvars, datetime, functools, heapq, itertools, json, os, re, threading, time

from ministack import app
from ministack.core import iam_actions
from ministack.core import lambda_runtime as rt
from ministack.core.arn import parse_arn
from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services import cloudwatch_logs as cwl
from ministack.services import eventbridge as eb
from ministack.services import lambda_svc as L
from ministack.services import scheduler, sns, sqs
from ministack.services.cloudformation import provisioners as P

VERSION = "1.5.33"
WIDTH = int(os.environ.get("LAUNCHER_ASYNC_WIDTH", "32"))
THR_BASE = float(os.environ.get("LAUNCHER_THROTTLE_BASE_SECONDS", "0.2"))
THR_MAX = float(os.environ.get("LAUNCHER_THROTTLE_MAX_SECONDS", "1"))


def iso(t=None):
    return datetime.datetime.fromtimestamp(t or time.time(), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


# --------------------------------------------------------------------------- async queue
class Queue:
    """One asynchronous-invoke queue per (account, region, function)."""
    all, guard = {}, threading.Lock()

    def __init__(self, account, region, name):
        self.account, self.region, self.name = account, region, name
        self.cond, self.heap, self.threads, self.busy = threading.Condition(), [], 0, 0
        self.seq = itertools.count()

    @classmethod
    def of(cls, account, region, name):
        with cls.guard:
            return cls.all.setdefault((account, region, name), cls(account, region, name))

    def put(self, due, item):
        with self.cond:
            heapq.heappush(self.heap, (due, next(self.seq), item))
            if self.threads < WIDTH and self.threads - self.busy < len(self.heap):
                self.threads += 1
                threading.Thread(target=self.pump, daemon=True, name=f"async-{self.name}").start()
            self.cond.notify()

    def pump(self):
        while True:
            with self.cond:
                while True:
                    now = time.time()
                    if self.heap and self.heap[0][0] <= now:
                        item = heapq.heappop(self.heap)[2]
                        self.busy += 1
                        break
                    if self.heap:
                        self.cond.wait(self.heap[0][0] - now)
                    elif not self.cond.wait(10) and not self.heap:
                        self.threads -= 1
                        return
            try:
                self.run(item)
            except Exception:
                L.logger.exception("async invoke of %s", self.name)
            finally:
                with self.cond:
                    self.busy -= 1

    def scoped(self, fn, *args):
        def call():
            L._request_account_id.set(self.account)
            L._request_region.set(self.region)
            return fn(*args)
        return contextvars.copy_context().run(call)

    def run(self, it):
        # Resolved at every attempt, so a retry runs the code deployed now.
        func, config, _ = L._get_func_record_for_ref_in_scope(it["ref"], account_id=self.account, region=self.region)
        if not func:
            return L.logger.warning("asynchronous invocation dropped: there is no function %s", it["ref"])
        eic = func.get("event_invoke_config") or (func.get("event_invoke_configs") or {}).get("$LATEST") or {}
        retries = eic.get("MaximumRetryAttempts")
        retries = 2 if retries is None else int(retries)
        max_age = int(eic.get("MaximumEventAgeInSeconds") or 21600)
        age = time.time() - it["t0"]
        if age > max_age:
            return self.fail(it, func, config, eic, "EventAgeExceeded")
        it["last"] = res = L._execute_function_with_config_scope(L._execution_record_for_config(func, config), it["event"])
        if res.get("throttle"):        # goes back to the queue, is not an attempt
            it["throttled"] += 1
            return self.put(time.time() + min(THR_BASE * 2 ** min(it["throttled"] - 1, 16), THR_MAX), it)
        it["attempts"] += 1
        if not res.get("error"):
            return
        if it["attempts"] > retries:
            return self.fail(it, func, config, eic, "RetriesExhausted")
        delay = min(L._LAMBDA_ASYNC_RETRY_BASE_SECONDS * 2 ** (it["attempts"] - 1), L._LAMBDA_ASYNC_RETRY_MAX_SECONDS)
        if time.time() + delay - it["t0"] > max_age:
            return self.fail(it, func, config, eic, "EventAgeExceeded")
        self.put(time.time() + delay, it)

    def fail(self, it, func, config, eic, condition):
        last = it.get("last") or {}
        body = last.get("body")
        dest = ((eic.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
        if dest:
            record = {
                "version": "1.0", "timestamp": iso(),
                "requestContext": {"requestId": it["id"], "functionArn": config.get("FunctionArn", "") + ":$LATEST",
                                   "condition": condition, "approximateInvokeCount": it["attempts"]},
                "requestPayload": it["event"],
            }
            if it["attempts"]:
                record["responseContext"] = {"statusCode": 200, "executedVersion": config.get("Version", "$LATEST"),
                                             "functionError": last.get("function_error") or "Unhandled"}
                record["responsePayload"] = body
            self.scoped(self.send, dest, json.dumps(record))
        dlq = (config.get("DeadLetterConfig") or {}).get("TargetArn")
        if dlq:
            self.scoped(self.send, dlq, json.dumps(it["event"]))

    def send(self, arn, body):
        spec = parse_arn(arn)
        if spec.service == "sqs":
            sns._deliver_to_sqs(arn, body, True, body)     # raw append, wakes pollers
        elif spec.service == "sns":
            sns._fanout(arn, new_uuid(), body, "")
        elif spec.service == "lambda":
            enqueue(arn, json.loads(body))


def enqueue(ref, event, account=None, region=None):
    if isinstance(ref, str) and ref.startswith("arn:"):
        spec = parse_arn(ref)
        account, region = spec.account_id, spec.region
        name, _ = L._lambda_function_name_and_qualifier_from_arn(ref)
    else:
        account, region, name = account or get_account_id(), region or get_region(), ref
    q = Queue.of(account, region, name)
    q.put(time.time(), {"ref": ref, "event": event, "t0": time.time(), "id": new_uuid(), "attempts": 0, "throttled": 0})


def p_queue():
    """Invoke(InvocationType=Event), S3 notifications: lambda_svc.invoke_async_with_retry(func, event)."""
    def invoke_async_with_retry(func, event):
        config = func.get("config") or func
        enqueue(config["FunctionArn"], event)
    L.invoke_async_with_retry = invoke_async_with_retry

    old = L.reset
    def reset():
        with Queue.guard:
            for q in Queue.all.values():
                with q.cond:
                    q.heap.clear()
        old()
    L.reset = reset


def p_sns():
    """SNS -> Lambda: sns._deliver_to_lambda, called from _fanout in a fresh thread by its global name."""
    def _deliver_to_lambda(endpoint, envelope, topic_arn, sub_arn, msg_id, raw_message, message_attributes):
        func, config, name = L._get_func_record_for_ref(endpoint)
        if not func or not config:
            sns.logger.warning("SNS fanout: Lambda function %s not found", name)
            sub = sns._find_subscription(topic_arn, sub_arn) or {}
            try:
                dlq = json.loads(sub["attributes"]["RedrivePolicy"])["deadLetterTargetArn"]
            except (KeyError, TypeError, ValueError):
                return
            sns._deliver_to_sqs(dlq, envelope, False, raw_message, topic_arn=topic_arn)
            return
        n = json.loads(envelope)
        n.setdefault("Subject", None)
        n["Timestamp"] = iso()
        n["SigningCertUrl"], n["UnsubscribeUrl"] = n.pop("SigningCertURL", ""), n.pop("UnsubscribeURL", "")
        n["MessageAttributes"] = {
            k: {"Type": a.get("DataType", "String"), "Value": a.get("StringValue") or a.get("BinaryValue") or ""}
            for k, a in (message_attributes or {}).items()}
        enqueue(endpoint, {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0",
                                        "EventSubscriptionArn": sub_arn, "Sns": n}]})
    sns._deliver_to_lambda = _deliver_to_lambda


def p_events():
    """EventBridge rules and EventBridge Scheduler -> Lambda (both reach eventbridge._dispatch_to_lambda)."""
    def _dispatch_to_lambda(arn, payload):
        try:
            event = json.loads(payload)
        except (TypeError, ValueError):
            event = {"body": payload}
        enqueue(arn, event)
    eb._dispatch_to_lambda = _dispatch_to_lambda
    # A schedule is looked at each ten seconds by itself; AWS's fires within the minute, and mostly at its beginning.
    scheduler._SCHEDULE_TICK_INTERVAL = 1


# --------------------------------------------------------------------------- workers
def p_drain():
    """A redeploy lets invocations in progress finish; nothing serves old code afterwards; deletes kill."""
    def invalidate_worker(func_name, qualifier=None, account=None, region=None):
        idle = []
        with rt._lock:
            for key in list(rt._workers):
                a, r, f, q = key.split(":", 3)
                if f != func_name or (account or a) != a or (region or r) != r or (qualifier or q) != q:
                    continue
                for w in rt._workers.pop(key):
                    w.retired = True
                    if not w.in_use:
                        idle.append(w)
        if idle:        # off the event loop: the reaping waits up to 2 s
            threading.Thread(target=rt.kill_workers, args=(idle,), daemon=True).start()

    def release_worker(w):
        if w is None:
            return
        a, r = rt._account_region_from_function_config(w.config)
        rec = L._functions.get_scoped(a, r, w.func_name)
        stale = w.config.get("Version", "$LATEST") == "$LATEST" and (rec is None or rec.get("code_zip") != w.code_zip)
        with rt._lock:
            w.in_use = False
            dead = stale or getattr(w, "retired", False)
            if dead:
                for pool in rt._workers.values():
                    if w in pool:
                        pool.remove(w)
        if dead:
            threading.Thread(target=rt.kill_workers, args=([w],), daemon=True).start()

    for m in (rt, L):
        m.invalidate_worker, m.release_worker = invalidate_worker, release_worker
    old = L._execute_function_provided_warm

    @functools.wraps(old)
    def warm(func, event, request_id):
        res = old(func, event, request_id)
        body = res.get("body")
        if res.get("error") and isinstance(body, dict):     # the platform's own lines
            kind, msg = body.get("errorType"), body.get("errorMessage")
            line = None
            if kind == "Sandbox.Timedout":
                line = f"{iso()} {request_id} {msg}"
            elif kind == "Runtime.ExitError":
                line = f"RequestId: {request_id} Error: {msg}\nRuntime.ExitError"
            elif kind in ("Runtime.Unknown", "Runtime.InvalidEntrypoint"):
                line = f"{iso()} {request_id} {msg}\n{kind}"
            if line:
                res["log"] = "\n".join(x for x in (res.get("log"), line) if x)
        return res
    L._execute_function_provided_warm = warm


# --------------------------------------------------------------------------- CloudFormation
def p_cfn():
    """AWS::Lambda::Function: ReservedConcurrentExecutions, DeadLetterConfig, VpcConfig, KmsKeyArn; kill on delete."""
    h = P._RESOURCE_HANDLERS["AWS::Lambda::Function"]

    def apply(name, props):
        f = L._functions[name]
        r = props.get("ReservedConcurrentExecutions")
        f["concurrency"] = None if r is None else int(r)
        if (props.get("DeadLetterConfig") or {}).get("TargetArn"):
            f["config"]["DeadLetterConfig"] = props["DeadLetterConfig"]
        else:
            f["config"].pop("DeadLetterConfig", None)
        f["config"]["VpcConfig"] = L._vpc_config_with_id(props.get("VpcConfig"))
        f["config"]["KMSKeyArn"] = props.get("KmsKeyArn", "")

    create, update, delete = h["create"], h["update"], h["delete"]
    def c(logical_id, props, stack_name):
        out = create(logical_id, props, stack_name)
        apply(out[0], props)
        return out
    def u(physical_id, old_props, new_props, stack_name, logical_id=None):
        out = update(physical_id, old_props, new_props, stack_name, logical_id)
        apply(out[0], new_props)
        return out
    def d(physical_id, props, *a):
        delete(physical_id, props, *a)
        L.invalidate_worker(physical_id, account=get_account_id(), region=get_region())
    h["create"], h["update"], h["delete"] = c, u, d


def p_far():
    """AWS::SNS::Subscription: Region, where the topic is in another one than the stack."""
    h = P._RESOURCE_HANDLERS["AWS::SNS::Subscription"]

    def there(what, props_at):
        def call(*args, **named):
            region = args[props_at].get("Region")
            context = contextvars.copy_context()
            if region:
                context.run(L._request_region.set, region)
            return context.run(what, *args, **named)
        return call
    h["create"], h["update"], h["delete"] = there(h["create"], 1), there(h["update"], 1), there(h["delete"], 1)


# --------------------------------------------------------------------------- rights
def p_rights():
    """sns:Publish is the right to publish batches as well (SNS Developer Guide, API permissions)."""
    action = iam_actions.extract_iam_action

    def extract_iam_action(*args, **named):
        found = action(*args, **named)
        return "sns:Publish" if found == "sns:PublishBatch" else found
    iam_actions.extract_iam_action = extract_iam_action

    # What Lambda puts aside comes from no topic: it does so by the role of its function, whatever the queue's policy.
    allows = sqs.queue_policy_allows
    sqs.queue_policy_allows = lambda queue, service, source, account: not source or allows(queue, service, source, account)


# --------------------------------------------------------------------------- logs
def p_filters():
    """Filter patterns of subscriptions: ?"one text" ?"or the other"."""
    def matches(pattern, message):
        return any(text in (message or "") for text in re.findall(r'\?"([^"]*)"', pattern or ""))
    cwl._subscription_pattern_matches = matches


def p_groups():
    """A log group is made by its stack: the roles of our functions do not allow them to make one."""
    emit = L._emit_lambda_logs

    def _emit_lambda_logs(func, *args, **named):
        config = func.get("config") or func
        if f"/aws/lambda/{config['FunctionName']}" in cwl._log_groups:
            emit(func, *args, **named)
    L._emit_lambda_logs = _emit_lambda_logs


def main():
    from importlib.metadata import version
    if version("ministack") != VERSION:
        raise SystemExit(f"launcher is written for ministack {VERSION}, found {version('ministack')}")
    skip = os.environ.get("LAUNCHER_SKIP", "").split(",")
    for p in (p_queue, p_sns, p_events, p_drain, p_cfn, p_far, p_rights, p_filters, p_groups):
        if p.__name__ not in skip:
            p()
    app.main()


if __name__ == "__main__":
    main()
