// Makes of each row of functions.yml what CloudFormation knows: see there what the columns mean.

const fs = require("fs");
const path = require("path");
const yaml = require("js-yaml");

const table = yaml.load(fs.readFileSync(path.join(__dirname, "functions.yml"), "utf8"));
const rows = Object.entries(table).map(([name, row]) => ({ name, ...row }));
const abroad = rows.filter((row) => row.abroad);
// What is said in a further region, and whose topics are there for it.
const SAID = ["judge", "issue"];

const title = (name) => name[0].toUpperCase() + name.slice(1);
const sub = (text) => ({ "Fn::Sub": text });
const arn = (resource) => ({ "Fn::GetAtt": [resource, "Arn"] });
const topic = (name) => `${title(name)}Topic`;
const role = (name) => `${title(name)}Role`;

// As osls calls them in the template.
const lambda = (name) => `${title(name)}LambdaFunction`;
const logGroup = (name) => `${title(name)}LogGroup`;
const groupName = (name, stage) => `/aws/lambda/gazer-${stage}-${name}`;
const groupArn = (name, stage) =>
  sub(`arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:${groupName(name, stage)}:*`);

// Everybody says what goes wrong with it, but those that make issues of it.
const isHeard = (row) => !["issue", "inform"].includes(row.name);
// What Lambda writes where a function could not: crates/aws/src/crash.rs reads it.
const CRASHES = '?"Task timed out" ?"Runtime.OutOfMemory" ?"Runtime.ExitError" ?"Runtime.InvalidEntrypoint" ?"Runtime.Unknown"';

// Where people reach the pages: where AWS puts them, unless it is given.
module.exports.publicUrl = async ({ resolveVariable }) =>
  (await resolveVariable("param:publicUrl")) || sub("https://${HttpApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}");

// Who is told of alarms, if anybody is.
module.exports.operator = async ({ resolveVariable }) => {
  const address = await resolveVariable("param:operatorEmail");
  const mail = { TopicArn: { Ref: "Alarms" }, Protocol: "email", Endpoint: address };
  return { Resources: address ? { AlarmsMail: { Type: "AWS::SNS::Subscription", Properties: mail } } : {} };
};

module.exports.functions = async ({ resolveVariable }) => {
  const [stage, secrets] = [await resolveVariable("sls:stage"), await resolveVariable("self:custom.secrets")];
  const [all, house] = [await resolveVariable("self:custom.all"), await resolveVariable("self:custom.house")];
  const outside = {
    check: () => ofProber(resolveVariable, secrets),
    look: () => ofProber(resolveVariable, secrets),
    send: async () => ({ GAZER_KEY: house.GAZER_KEY, ...(await resolveVariable("self:custom.mail")) }),
  };
  const regions = { GAZER_REGIONS: await resolveVariable("param:regions") };
  const made = {};
  for (const row of rows) {
    const knows = row.house ? house : await outside[row.name]();
    made[row.name] = functionOf(row, stage, { ...all, ...knows, ...(row.name === "plan" && regions) });
  }
  return made;
};

// All that a prober has of the house opens what is for its region.
const ofProber = async (resolveVariable, secrets) => ({
  GAZER_REGION_SECRET: await resolveVariable(`ssm:${secrets}/region-key`),
});

// The functions of a further region. What they are for comes from home (heardOf), and so they have no topic here.
module.exports.prober = async ({ resolveVariable }) => {
  const [stage, all] = [await resolveVariable("sls:stage"), await resolveVariable("self:custom.all")];
  const key = await ofProber(resolveVariable, await resolveVariable("self:custom.secrets"));
  const made = {};
  for (const row of abroad) made[row.name] = { ...functionOf(row, stage, { ...all, ...key }), events: [] };
  return made;
};

const functionOf = (row, stage, knows) => ({
  handler: "bootstrap",
  name: `gazer-${stage}-${row.name}`,
  memorySize: row.memory,
  timeout: row.timeout,
  role: role(row.name),
  environment: given({
    GAZER_FUNCTION: row.name,
    ...knows,
    ...(row.claims && { GAZER_CLAIMS: { Ref: "Claims" } }),
    // How pg_stat_activity calls its connections.
    ...(row.house && { PGAPPNAME: `gazer-${stage}-${row.name}` }),
  }),
  events: events(row, stage),
  ...(row.concurrency && { reservedConcurrency: row.concurrency }),
  ...(row.house && { vpc: { securityGroupIds: [{ Ref: "FunctionsGroup" }], subnetIds: subnets() } }),
  ...(row.age && {
    maximumRetryAttempts: row.retries,
    maximumEventAge: row.age,
    destinations: { onFailure: { type: "sqs", arn: arn("Failed") } },
  }),
});

// A setting that was left empty is none.
const given = (settings) => Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== ""));

const subnets = () => [{ Ref: "FirstSubnet" }, { Ref: "SecondSubnet" }];

const events = (row, stage) => [
  ...(row.http ? [{ httpApi: "*" }] : []),
  ...(row.topic
    ? [{
        sns: {
          arn: { Ref: topic(row.name) },
          topicName: `gazer-${stage}-${row.name}`,
          redrivePolicy: { deadLetterTargetRef: "Undelivered" },
          ...(row.name === "check" && { filterPolicy: { region: [{ Ref: "AWS::Region" }] } }),
        },
      }]
    : []),
];

module.exports.resources = async ({ resolveVariable }) => {
  const stage = await resolveVariable("sls:stage");
  const resources = {
    ...queues(stage),
    Claims: claims(stage),
    ClockRole: clockRole(rows),
  };
  for (const row of rows) {
    resources[role(row.name)] = roleOf(row, stage);
    if (isHeard(row)) Object.assign(resources, crashesOf(row, stage));
    if (row.topic) resources[topic(row.name)] = topicOf(row.name, stage);
    if (row.every) resources[`${title(row.name)}Clock`] = clock(row, stage);
  }
  const regions = (await resolveVariable("param:regions")).split(",").map((region) => region.trim());
  for (const region of regions.filter(Boolean)) {
    for (const name of SAID) {
      const id = `${title(name)}From${region.split("-").map(title).join("")}`;
      resources[id] = permission(name, "sns.amazonaws.com", arnIn(region, "sns", `gazer-${stage}-${name}`));
    }
  }
  return { Resources: resources };
};

// What is for this region comes from the topic of home, and what is said here goes to functions there.
module.exports.heardOf = async ({ resolveVariable }) => {
  const [stage, home] = [await resolveVariable("sls:stage"), await resolveVariable("param:home")];
  const checks = arnIn(home, "sns", `gazer-${stage}-check`);
  const resources = {
    ...queues(stage),
    ClockRole: clockRole(abroad),
    CheckFromHome: permission("check", "sns.amazonaws.com", checks),
    ChecksOfHome: subscription(checks, arn(lambda("check")), arnIn(home, "sqs", `gazer-${stage}-undelivered`), {
      Region: home,
      FilterPolicy: { region: [{ Ref: "AWS::Region" }] },
    }),
    UndeliveredPolicy: {
      Type: "AWS::SQS::QueuePolicy",
      Properties: {
        Queues: [{ Ref: "Undelivered" }],
        PolicyDocument: {
          Version: "2012-10-17",
          Statement: SAID.map((name) => ({
            Sid: `Keep${title(name)}`,
            Effect: "Allow",
            Principal: { Service: "sns.amazonaws.com" },
            Action: "sqs:SendMessage",
            Resource: arn("Undelivered"),
            Condition: { ArnEquals: { "aws:SourceArn": { Ref: topic(name) } } },
          })),
        },
      },
    },
  };
  for (const row of abroad) {
    resources[role(row.name)] = roleOf(row, stage);
    if (row.every) resources[`${title(row.name)}Clock`] = clock(row, stage);
  }
  for (const name of SAID) {
    const listener = arnIn(home, "lambda", `function:gazer-${stage}-${name}`);
    resources[topic(name)] = topicOf(name, stage);
    resources[`${title(name)}AtHome`] = subscription({ Ref: topic(name) }, listener, arn("Undelivered"), {});
  }
  return { Resources: resources };
};

const queues = (stage) => ({
  // What a function could not do, tried as often as it may be.
  Failed: queue(`gazer-${stage}-failed`),
  // What did not reach its function at all.
  Undelivered: queue(`gazer-${stage}-undelivered`),
});

const topicOf = (name, stage) => ({
  Type: "AWS::SNS::Topic",
  Properties: { TopicName: `gazer-${stage}-${name}`, KmsMasterKeyId: "alias/aws/sns" },
});

const arnIn = (region, service, name) => sub(`arn:\${AWS::Partition}:${service}:${region}:\${AWS::AccountId}:${name}`);

// That this service may invoke this function for that source.
const permission = (name, service, source) => ({
  Type: "AWS::Lambda::Permission",
  Properties: {
    FunctionName: arn(lambda(name)),
    Action: "lambda:InvokeFunction",
    Principal: service,
    SourceArn: source,
  },
});

const subscription = (topic, lambda, undelivered, more) => ({
  Type: "AWS::SNS::Subscription",
  Properties: {
    TopicArn: topic,
    Protocol: "lambda",
    Endpoint: lambda,
    RedrivePolicy: { deadLetterTargetArn: undelivered },
    ...more,
  },
});

const queue = (name) => ({
  Type: "AWS::SQS::Queue",
  Properties: { QueueName: name, SqsManagedSseEnabled: true, MessageRetentionPeriod: 14 * 24 * 3600 },
});

// Encrypted with a key of AWS, as every table is; a claim is forgotten soon after it has ended.
const claims = (stage) => ({
  Type: "AWS::DynamoDB::Table",
  Properties: {
    TableName: `gazer-${stage}-claims`,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [{ AttributeName: "claim", AttributeType: "S" }],
    KeySchema: [{ AttributeName: "claim", KeyType: "HASH" }],
    TimeToLiveSpecification: { AttributeName: "ends", Enabled: true },
  },
});

const clock = (row, stage) => ({
  Type: "AWS::Scheduler::Schedule",
  Properties: {
    Name: `gazer-${stage}-${row.name}`,
    // On the minute, which whoever plans reckons with; a rate begins whenever the schedule was made.
    ScheduleExpression: row.every === "1 minute" ? "cron(* * * * ? *)" : `rate(${row.every})`,
    FlexibleTimeWindow: { Mode: "OFF" },
    Target: {
      Arn: arn(lambda(row.name)),
      RoleArn: arn("ClockRole"),
      Input: "{}",
      // The next minute comes anyhow.
      RetryPolicy: { MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 },
    },
  },
});

const clockRole = (rows) => ({
  Type: "AWS::IAM::Role",
  Properties: {
    AssumeRolePolicyDocument: trust("scheduler.amazonaws.com"),
    Policies: [policy("wake", [
      allow("WakeWhatGoesByTheClock", "lambda:InvokeFunction", rows.filter((row) => row.every).map((row) => arn(lambda(row.name)))),
    ])],
  },
});

// Hands on to `issue` what Lambda wrote into the log of a function.
const crashesOf = ({ name }, stage) => ({
  [`${title(name)}CrashesPermission`]: permission("issue", "logs.amazonaws.com", groupArn(name, stage)),
  [`${title(name)}Crashes`]: {
    Type: "AWS::Logs::SubscriptionFilter",
    DependsOn: [`${title(name)}CrashesPermission`],
    Properties: { LogGroupName: { Ref: logGroup(name) }, FilterPattern: CRASHES, DestinationArn: arn(lambda("issue")) },
  },
});

const trust = (service) => ({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
});

const policy = (name, statements) => ({
  PolicyName: name,
  PolicyDocument: { Version: "2012-10-17", Statement: statements },
});

const allow = (sid, actions, resource) => ({ Sid: sid, Effect: "Allow", Action: actions, Resource: resource });

// What one function may do, and nothing else.
const roleOf = (row, stage) => {
  const statements = [
    allow("WriteItsOwnLog", ["logs:CreateLogStream", "logs:PutLogEvents"], groupArn(row.name, stage)),
  ];
  const publishes = [...row.publishes, ...(isHeard(row) ? ["issue"] : [])];
  if (publishes.length) {
    statements.push(allow("Publish", "sns:Publish", publishes.map((name) => ({ Ref: topic(name) }))));
  }
  if (row.claims) statements.push(allow("TakeUpClaims", "dynamodb:PutItem", arn("Claims")));
  if (row.age) statements.push(allow("PutAside", "sqs:SendMessage", arn("Failed")));
  if (row.house) {
    // EC2 knows no narrower resource for these: an interface has no name before it is made.
    statements.push(allow(
      "JoinTheNetworkWhereInterfacesHaveNoNameYet",
      ["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DeleteNetworkInterface"],
      "*",
    ));
  }
  return {
    Type: "AWS::IAM::Role",
    Properties: {
      AssumeRolePolicyDocument: trust("lambda.amazonaws.com"),
      Policies: [policy(row.name, statements)],
    },
  };
};
