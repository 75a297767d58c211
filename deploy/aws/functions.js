// Makes of each row of functions.yml what CloudFormation knows: see there what the columns mean.

const fs = require("fs");
const path = require("path");
const yaml = require("js-yaml");

const table = yaml.load(fs.readFileSync(path.join(__dirname, "functions.yml"), "utf8"));
const rows = Object.entries(table).map(([name, row]) => ({ name, ...row }));

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
    // All that a prober has of the house opens what is for its region.
    check: async () => ({ GAZER_REGION_SECRET: await resolveVariable(`ssm:${secrets}/region-key`) }),
    send: async () => ({ GAZER_KEY: house.GAZER_KEY, ...(await resolveVariable("self:custom.mail")) }),
  };
  const made = {};
  for (const row of rows) {
    const knows = row.house ? house : await outside[row.name]();
    made[row.name] = {
      handler: "bootstrap",
      name: `gazer-${stage}-${row.name}`,
      memorySize: row.memory,
      timeout: row.timeout,
      role: role(row.name),
      environment: given({
        GAZER_FUNCTION: row.name,
        ...all,
        ...knows,
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
    };
  }
  return made;
};

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
    // What a function could not do, tried as often as it may be.
    Failed: queue(`gazer-${stage}-failed`),
    // What did not reach its function at all.
    Undelivered: queue(`gazer-${stage}-undelivered`),
    ClockRole: {
      Type: "AWS::IAM::Role",
      Properties: {
        AssumeRolePolicyDocument: trust("scheduler.amazonaws.com"),
        Policies: [policy("wake", [{
          Sid: "WakeWhatGoesByTheClock",
          Effect: "Allow",
          Action: "lambda:InvokeFunction",
          Resource: rows.filter((row) => row.every).map((row) => arn(lambda(row.name))),
        }])],
      },
    },
  };
  for (const row of rows) {
    resources[role(row.name)] = roleOf(row, stage);
    if (isHeard(row)) Object.assign(resources, crashesOf(row, stage));
    if (row.topic) {
      resources[topic(row.name)] = {
        Type: "AWS::SNS::Topic",
        Properties: { TopicName: `gazer-${stage}-${row.name}`, KmsMasterKeyId: "alias/aws/sns" },
      };
    }
    if (row.every) resources[`${title(row.name)}Clock`] = clock(row, stage);
  }
  return { Resources: resources };
};

const queue = (name) => ({
  Type: "AWS::SQS::Queue",
  Properties: { QueueName: name, SqsManagedSseEnabled: true, MessageRetentionPeriod: 14 * 24 * 3600 },
});

const clock = (row, stage) => ({
  Type: "AWS::Scheduler::Schedule",
  Properties: {
    Name: `gazer-${stage}-${row.name}`,
    ScheduleExpression: `rate(${row.every})`,
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

// Hands on to `issue` what Lambda wrote into the log of a function.
const crashesOf = ({ name }, stage) => ({
  [`${title(name)}CrashesPermission`]: {
    Type: "AWS::Lambda::Permission",
    Properties: {
      FunctionName: arn(lambda("issue")),
      Action: "lambda:InvokeFunction",
      Principal: "logs.amazonaws.com",
      SourceArn: groupArn(name, stage),
    },
  },
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
