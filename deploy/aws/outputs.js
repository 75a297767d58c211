// Writes what a deployment made into outputs.json, for `gazer aws outputs`.

const fs = require("fs");
const path = require("path");
// As osls has it.
const { CloudFormationClient, DescribeStacksCommand } = require("@aws-sdk/client-cloudformation");

module.exports = class {
  constructor(serverless) {
    const write = async () => {
      const provider = serverless.getProvider("aws");
      const client = new CloudFormationClient(await provider.getAwsSdkV3Config());
      const asked = await client.send(new DescribeStacksCommand({ StackName: provider.naming.getStackName() }));
      const address = asked.Stacks[0].Outputs.find(({ OutputKey }) => OutputKey === "Address").OutputValue;
      fs.writeFileSync(path.join(__dirname, "outputs.json"), JSON.stringify({ address }) + "\n");
    };
    this.hooks = { "after:deploy:deploy": write };
  }
};
